# mypy: allow-untyped-calls
"""The training loop: one process per CPU core (gradients averaged over gloo) or one GPU; bounded by steps or minutes.

Everything that changes over time follows `progress`, 0 at the start and 1 when the steps or the minutes are used up. A
checkpoint holds network, optimiser, step and time used; a run that finds one goes on from there.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, distributed
from torch.multiprocessing.spawn import spawn

from asr.training import recordings, warm
from asr.training.batches import IGNORED, Batch, Batches
from asr.training.model import POSITIONS, SPOKEN, SmallWhisper
from asr.training.shape import Shape
from asr.training.tokenizer import Vocabulary

# Fractions of the run.
WARM_UP, SHORT_UNTIL, FULL_FROM = 0.04, 0.08, 0.9
# A run that goes on from a model aligns already and has more to lose: no phase of short utterances, no CTC.
PEAK_RATE, WARM_PEAK_RATE = 1.5e-3, 6e-4
# Encoder positions per process and step: 3000 are two minutes of sound. Small batches make more steps of a short run.
BUDGET, WARM_BUDGET = 3000, 1500
# CTC on the encoder makes the alignment form early; later it only distracts. (until, weight)
CTC_WEIGHTS = ((0.3, 0.5), (0.6, 0.3))
# How many positions padding fills up to, changing from step to step: faster-whisper always takes 1500, a recogniser
# that calls the encoder itself takes as few as the model stands.
WINDOWS = (POSITIONS, SPOKEN, SPOKEN, 400, 600)
LABEL_SMOOTHING = 0.06
WEIGHT_DECAY = 0.02
REPORT_STEPS = 25
# Batches prepared in advance.
AHEAD = 3

Say = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """`steps` or `minutes` (of training, without rendering) bound the run. `budget`: encoder positions per process and
    step. `start`: the folder of a model whose weights the training goes on from."""

    workdir: Path
    chunks: int
    seed: int
    steps: int | None = None
    minutes: float | None = None
    shape: Shape | None = None
    processes: int = 1
    device: str = "cpu"
    budget: int | None = None
    start: Path | None = None
    checkpoint_s: float = 300.0

    @property
    def positions(self) -> int:
        return self.budget or (WARM_BUDGET if self.start else BUDGET)

    @property
    def peak_rate(self) -> float:
        return WARM_PEAK_RATE if self.start else PEAK_RATE

    @property
    def checkpoint(self) -> Path:
        return self.workdir / "checkpoint.pt"

    @property
    def log(self) -> Path:
        return self.workdir / "training.jsonl"


def train(settings: Settings, say: Say) -> Path:
    """Trains, or goes on training, and returns the checkpoint."""
    if (settings.steps is None) == (settings.minutes is None):
        raise ValueError("give either steps or minutes")
    if settings.processes == 1:
        _run(0, settings, say)
    else:
        # Read by the C library and by OpenMP as the children start: one thread each, and no return of every freed block
        # to the kernel, which would cost a third of the time.
        os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", MALLOC_MMAP_MAX_="0", MALLOC_TRIM_THRESHOLD_="-1")
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        meeting = settings.workdir / "meeting"
        meeting.unlink(missing_ok=True)
        spawn(_run_child, args=(settings,), nprocs=settings.processes)
        meeting.unlink(missing_ok=True)
    return settings.checkpoint


def rate(progress: float, peak: float) -> float:
    """Learning rate: linear warm-up, then a cosine down to 2 % of the peak."""
    return peak * min(1.0, progress / WARM_UP + 0.01) * (0.49 * (1 + math.cos(math.pi * progress)) + 0.02)


def ctc_weight(progress: float, *, warm: bool) -> float:
    return 0.0 if warm else next((weight for until, weight in CTC_WEIGHTS if progress < until), 0.0)


def _run_child(rank: int, settings: Settings) -> None:
    def say(line: str) -> None:
        if rank == 0:
            print(line, file=sys.stderr, flush=True)

    os.nice(5)
    meeting = f"file://{settings.workdir.resolve() / 'meeting'}"
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=settings.processes)
    try:
        _run(rank, settings, say)
    finally:
        distributed.destroy_process_group()


def _run(rank: int, settings: Settings, say: Say) -> None:
    if settings.device == "cpu":
        torch.set_num_threads(1)
    vocabulary = Vocabulary.load(settings.workdir / "tokenizer.json")
    items = recordings.load(settings.workdir / "speech", settings.chunks)
    batches = Batches(items, vocabulary, settings.seed, budget=settings.positions, ranks=settings.processes)
    trainer = Trainer(settings, vocabulary)
    say(f"training: {len(items)} recordings, {trainer.parameters / 1e6:.2f} M parameters, from step {trainer.step}")
    started = last_saved = time.monotonic()
    used_before = trainer.used_s
    coming: deque[Future[Batch]] = deque()
    # One thread prepares the next batches while the network learns.
    with ThreadPoolExecutor(1, "training-batches") as preparing:
        while True:
            trainer.used_s = used_before + time.monotonic() - started
            progress = _agreed(trainer.progress(), settings.processes)
            if progress >= 1:
                break
            while len(coming) < AHEAD:
                step = trainer.step + len(coming)
                phase = max(progress, trainer.progress(step))
                short = phase < SHORT_UNTIL and settings.start is None
                coming.append(preparing.submit(batches.batch, step, rank, short=short, full=phase >= FULL_FROM))
            trainer.learn(coming.popleft().result(), progress)
            if rank == 0 and (trainer.step == 1 or trainer.step % REPORT_STEPS == 0):
                trainer.report(progress, say)
            if rank == 0 and time.monotonic() - last_saved > settings.checkpoint_s:
                trainer.save()
                last_saved = time.monotonic()
    if rank == 0:
        trainer.report(1.0, say)
        trainer.save()


def _agreed(progress: float, processes: int) -> float:
    """The clock of the first process rules: all must stop at the same step."""
    if processes == 1:
        return progress
    clock = torch.tensor([progress], dtype=torch.float64)
    distributed.broadcast(clock, 0)
    return float(clock.item())


class Trainer:
    """Network, optimiser and what a checkpoint holds."""

    def __init__(self, settings: Settings, vocabulary: Vocabulary) -> None:
        self._settings, self._text_tokens = settings, vocabulary.end
        torch.manual_seed(settings.seed)
        self._device = torch.device(settings.device)
        self._network = _beginning(settings, vocabulary).to(self._device)
        self._all = list(self._network.parameters())
        self._optimiser = torch.optim.AdamW(
            [
                {"params": [p for p in self._all if p.dim() > 1], "weight_decay": WEIGHT_DECAY},
                {"params": [p for p in self._all if p.dim() <= 1], "weight_decay": 0.0},
            ],
            lr=settings.peak_rate,
            betas=(0.9, 0.98),
            fused=True,
        )
        self.step, self.used_s = 0, 0.0
        self._sums, self._count = dict.fromkeys(("loss", "ctc", "accuracy"), 0.0), 0
        if settings.checkpoint.exists():
            self._restore()

    @property
    def parameters(self) -> int:
        return sum(p.numel() for name, p in self._network.named_parameters() if not name.startswith("ctc"))

    def progress(self, step: int | None = None) -> float:
        """0..1, now or (where steps are counted) at a step to come."""
        settings = self._settings
        if settings.steps is not None:
            return (self.step if step is None else step) / settings.steps
        assert settings.minutes is not None
        return self.used_s / (settings.minutes * 60)

    def learn(self, batch: Batch, progress: float) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = rate(progress, self._settings.peak_rate)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=_bfloat16_pays(self._device)):
            loss = self._loss(batch, ctc_weight(progress, warm=self._settings.start is not None))
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = self._average_and_clip()
        if math.isfinite(norm):  # a broken batch must not break the network
            self._optimiser.step()
        self.step += 1

    def _loss(self, batch: Batch, ctc_share: float) -> Tensor:
        network, device = self._network, self._device
        targets = torch.from_numpy(batch.targets).to(device).view(-1)
        memory, mask = network.encode(torch.from_numpy(batch.mel).to(device), WINDOWS[self.step % len(WINDOWS)])
        logits = network.decode(torch.from_numpy(batch.tokens).to(device), memory, mask)
        kept = targets != IGNORED
        logits, targets = logits.view(-1, logits.shape[-1])[kept].float(), targets[kept]
        loss = F.cross_entropy(logits, targets, label_smoothing=LABEL_SMOOTHING)
        self._sums["loss"] += loss.item()
        self._sums["accuracy"] += (logits.detach().argmax(-1) == targets).float().mean().item()
        self._count += 1
        if not ctc_share:
            return loss
        ctc = self._ctc_loss(network.ctc(memory[:, :-1]).float(), batch)
        self._sums["ctc"] += ctc.item()
        return (1 - ctc_share) * loss + ctc_share * ctc

    def _ctc_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """CTC per written token; the blank follows the text tokens."""
        lengths = torch.from_numpy(batch.written_lengths)
        losses = F.ctc_loss(
            F.log_softmax(logits, -1).transpose(0, 1),
            torch.from_numpy(batch.written).to(self._device),
            torch.from_numpy(batch.positions),
            lengths,
            blank=self._text_tokens,
            reduction="none",
            zero_infinity=True,
        )
        return losses.sum() / max(1, int(lengths.sum()))

    def _average_and_clip(self) -> float:
        """Gradients averaged over the processes, their norm clipped to 1; the norm before that."""
        gradients = [p.grad for p in self._all if p.grad is not None]
        if self._settings.processes > 1:
            flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
            distributed.all_reduce(flat)
            flat /= self._settings.processes
            sizes = [gradient.numel() for gradient in gradients]
            for gradient, averaged in zip(gradients, flat.split(sizes), strict=True):
                gradient.copy_(averaged.view_as(gradient))
        return float(torch.nn.utils.clip_grad_norm_(self._all, 1.0))

    def report(self, progress: float, say: Say) -> None:
        """One line for people, one JSON line in the log: means since the last report."""
        count = max(1, self._count)
        means = {name: round(value / count, 4) for name, value in self._sums.items()}
        self._sums, self._count = dict.fromkeys(self._sums, 0.0), 0
        line = {"step": self.step, "minutes": round(self.used_s / 60, 2), "progress": round(progress, 4), **means}
        with self._settings.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        say(
            f"training: {100 * progress:5.1f} %  step {self.step}  {self.used_s / 60:.1f} min  loss {means['loss']:.3f}"
            f"  ctc {means['ctc']:.3f}  right tokens {100 * means['accuracy']:.1f} %"
        )

    def save(self) -> None:
        state = {
            "network": self._network.state_dict(),
            "shape": asdict(self._network.shape),
            "optimiser": self._optimiser.state_dict(),
            "step": self.step,
            "used_s": self.used_s,
        }
        part = self._settings.checkpoint.with_suffix(".part")
        torch.save(state, part)
        part.replace(self._settings.checkpoint)

    def _restore(self) -> None:
        state = torch.load(self._settings.checkpoint, map_location=self._device, weights_only=True)
        self._network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.step, self.used_s = state["step"], state["used_s"]


def _beginning(settings: Settings, vocabulary: Vocabulary) -> SmallWhisper:
    if settings.start is None:
        return SmallWhisper(settings.shape or Shape(), len(vocabulary), vocabulary.end)
    network, _ = warm.load(settings.start)
    return network.train()


def _bfloat16_pays(device: torch.device) -> bool:
    """Half precision is faster on GPUs and on CPUs with matrix units for it; elsewhere it is emulated and slower."""
    if device.type == "cuda":
        return True
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
