"""What an agent has to know of a call at once: who, why, what was collected and tried, why the bot stopped, the mood.

Pure: built from the call's events; secret numbers are masked. `as_text` is for reading, `briefing` for listening,
`sip_headers` and `crm_link` for what shows them at the agent's.
"""

from voicebot.summary.make import hidden_slots, summarise
from voicebot.summary.model import MASKED, UNSURE, Collected, Summary, as_text
from voicebot.summary.outside import crm_link, sip_headers
from voicebot.summary.spoken import BRIEFING_S, TOLD_BRIEFING_S, briefing, spoken_seconds

__all__ = [
    "BRIEFING_S",
    "MASKED",
    "TOLD_BRIEFING_S",
    "UNSURE",
    "Collected",
    "Summary",
    "as_text",
    "briefing",
    "crm_link",
    "hidden_slots",
    "sip_headers",
    "spoken_seconds",
    "summarise",
]
