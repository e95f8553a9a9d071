"""The human side of calls, live: who waits and what they hear, agents and their lines, talks, supervisors."""
