"""The outside of the bot: a simulated caller, a simulated agent's phone, and what is measured from their side."""
