"""The sentences of alerts, in Polish and English."""

from __future__ import annotations

TEXTS = {
    "pl": {
        "angry": "Rozmówca jest zdenerwowany.",
        "loop": "Bot powtórzył to samo {times} razy.",
        "silence": "Od {seconds} s nikt nic nie mówi.",
        "keyword": "Padło słowo: {keyword}.",
        "unnamed": "jedno z tych, na które trzeba uważać",
        "wait": "Rozmówca czeka od {seconds} s w kolejce {queue}.",
        "language_model": "Model językowy {service} nie odpowiada; bot rozumie bez niego.",
        "unheard": "Od rozmówcy nie dochodzi żaden dźwięk.",
        "agent_unheard": "Klient nie słyszy konsultanta ({name}): z jego mikrofonu nic nie dochodzi.",
        "recognition": "Rozpoznawanie mowy nie działa.",
    },
    "en": {
        "angry": "The caller is angry.",
        "loop": "The bot said the same {times} times.",
        "silence": "Nobody has said anything for {seconds} s.",
        "keyword": "The caller said: {keyword}.",
        "unnamed": "one of the words to look out for",
        "wait": "The caller has been waiting for {seconds} s in the queue {queue}.",
        "language_model": "The language model {service} does not answer; the bot understands without it.",
        "unheard": "No sound comes from the caller's phone.",
        "agent_unheard": "The caller does not hear the agent ({name}): no sound comes from the microphone.",
        "recognition": "Speech recognition does not work.",
    },
}
