"""A summary for what is not ours: headers of a SIP request to a desk phone, and a link into the company's CRM."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from urllib.parse import quote

from voicebot.summary.model import Summary
from voicebot.summary.texts import TEXTS, known

LONGEST_HEADER = 400  # signs of X-Voicebot-Summary: telephones and proxies cut or refuse long requests
_PLAIN = " -_.,:;+()/@"


def sip_headers(summary: Summary) -> dict[str, str]:
    """`X-Voicebot-Call`, `-Reason` and `-Summary` for the INVITE to an agent's telephone.

    Values are percent-encoded UTF-8 (RFC 3986) where they are not plain ASCII, so that every telephone takes them, and
    nothing in them can end a header. The summary is one line, cut at a whole sign.
    """
    texts = TEXTS[known(summary.language)]
    values = [f"{item.label}: {item.value}" for item in summary.collected if not item.masked]
    parts = [summary.why, *values, summary.why_stopped, *([] if summary.mood == "neutral" else [texts[summary.mood]])]
    return {
        "X-Voicebot-Call": _encoded(summary.call_id, LONGEST_HEADER),
        "X-Voicebot-Reason": _encoded(summary.reason, LONGEST_HEADER),
        "X-Voicebot-Summary": _encoded("; ".join(part.strip() for part in parts if part.strip()), LONGEST_HEADER),
    }


def _encoded(text: str, longest: int) -> str:
    """No longer than that, and never half a sign of the encoding."""
    encoded, length = [], 0
    for sign in " ".join(text.split()):
        written = quote(sign, safe=_PLAIN)
        if length + len(written) > longest:
            break
        encoded.append(written)
        length += len(written)
    return "".join(encoded)


def crm_link(template: str, summary: Summary, values: Mapping[str, str] | None = None) -> str:
    """The address with its places filled, every value percent-encoded; empty when there is no template.

    Places: `{caller}`, `{call}`, `{reason}`, `{language}`, the name of any collected value that is not masked, and
    those of `values`. A place for which nothing is known stays empty.
    """
    known_values = {item.name: str(item.value) for item in summary.collected if not item.masked}
    known_values |= {
        "caller": summary.who,
        "call": summary.call_id,
        "reason": summary.reason,
        "language": summary.language,
        **(values or {}),
    }
    filled = []
    for text, name, _, _ in Formatter().parse(template):
        filled += [text, quote(known_values.get(name, ""), safe="") if name else ""]
    return "".join(filled)
