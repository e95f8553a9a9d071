"""What the bot says in one step of the conversation, and what of it has to be said again."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from flows import actions
from flows.errors import TemplateFailed
from flows.memory import Memory
from flows.personal import masked_spans
from flows.spans import Span, plain_text
from flows.templates import Marked, marked, render
from flows.texts import in_language

_IMPLICIT = "phrases/implicit"


class Speech(Memory):
    """Words for the caller. Raises TemplateFailed where a text of the flow files can not be worked out."""

    def say(self, text: Mapping[str, str], place: str, *, interruptible: bool = True) -> None:
        """Say a text of the flow files. Raises TemplateFailed."""
        self._speak(render(in_language(dict(text), self.language), self.values()), place, interruptible)

    def say_in(self, text: str, language: str) -> None:
        """Say a fixed text in another language than the conversation's."""
        self.actions.append(actions.Say((text,), language, False, f"foreign/{language}", self.data["pace"]))

    def say_verbatim(self, text: str, place: str) -> None:
        """Say a text as it stands, whatever signs are in it."""
        self._speak((text,), place, True)

    def say_variant(self, texts: Sequence[Mapping[str, str]], place: str, *, interruptible: bool = True) -> None:
        """Say one of several texts, never the one that was said here the last time. Raises TemplateFailed."""
        last = self.data["variants"].get(place)
        first = zlib.crc32(f"{self.data['call']['id']}/{place}".encode())
        chosen = (first if last is None else last + 1) % len(texts)
        self.data["variants"][place] = chosen
        self.say(texts[chosen], place, interruptible=interruptible)

    def say_value(self, phrase: str, slot: str) -> None:
        """Say one of the bot's own phrases about the value of a slot."""
        value = self.frame["slots"][slot]
        said = marked(self.slot(slot).spans(value, self.language))
        self.say_phrase(phrase, value=_sentence(said), number=str(value))

    def say_phrase(self, name: str, wording: int = 0, *, interruptible: bool = True, **values: Any) -> None:
        """Say one of the bot's own phrases. One that can not be worked out is left unsaid and noted."""
        wordings = self.bot.phrases[self.language][name]
        try:
            spans = render(wordings[wording % len(wordings)], values)
        except TemplateFailed as error:
            self.note("phrase_failed", phrase=name, error=error.message)
            return
        self._speak(spans, f"phrases/{name}", interruptible)

    def _speak(self, spans: tuple[Span, ...], place: str, interruptible: bool) -> None:
        recorded = masked_spans(spans, self.data["personal"]) if self.data["personal"] else ""
        say = actions.Say(spans, self.language, interruptible, place, self.data["pace"], recorded)
        self._spoken.append(say)
        self.actions.append(say)

    def say_implied(self, name: str) -> None:
        """Say a value that is taken as right unless the caller objects."""
        self.say_value("implicit", name)
        self._implied.append(name)

    def say_missed_values(self) -> None:
        """Silence on a value agrees to it only when it was heard: say those again that the caller talked over."""
        missed = [said for said in self.data["missed"] if said["step"] == _IMPLICIT]
        if not missed:
            return
        self.data["missed"] = [said for said in self.data["missed"] if said not in missed]
        for name in self.data["implied"]:
            if name in self.frame["confirmed"]:
                self.say_implied(name)

    def interrupted(self, steps: Sequence[str]) -> None:
        """The caller did not hear these sayings whole; without any, the last one."""
        said = self.data["said"]
        steps = steps or [one["step"] for one in said[-1:]]
        self.data["missed"] = [one for one in said if one["step"] in steps or one in self.data["missed"]]
        self.data["heard_all"] = False

    def say_again(self) -> None:
        """What was said last, word for word; what was missed of it, where the caller talked over it."""
        for said in self.data["missed"] or self.data["said"]:
            self._speak(tuple(said["spans"]), said["step"], True)

    def write_down(self, text: Mapping[str, str]) -> None:
        """A line for the call's record. Raises TemplateFailed."""
        line = plain_text(render(in_language(dict(text), self.language), self.values()))
        self.note("log", text=line, step=self.place)

    def _remember_words(self) -> None:
        """For "say that again": all that was said this time but the remark that something was not understood."""
        worth = [
            say for say in self._spoken if say.step not in ("phrases/no_match", "phrases/no_input", "phrases/wait")
        ]
        if worth:
            self.data["said"] = [{"spans": list(say.spans), "step": say.step} for say in worth]
            self.data["missed"] = []
            self.data["heard_all"] = True


def _sentence(text: Marked) -> Marked:
    return Marked(text[:1].upper() + text[1:]) if text else text
