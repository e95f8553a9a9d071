import { ActionIcon, Alert, Group, SegmentedControl, Slider, Text, Tooltip } from "@mantine/core";
import {
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconRewindBackward10,
  IconRewindForward10,
} from "@tabler/icons-react";
import { type Ref, useEffect, useImperativeHandle, useRef, useState } from "react";

import { part } from "../api/client";
import { useT } from "../i18n";
import { useKeys } from "../parts/keys";
import { clock } from "../parts/time";

export interface PlayerHandle {
  playFrom: (seconds: number) => void;
}

interface Props {
  id: string;
  lengthS: number;
  onTime: (seconds: number) => void;
  ref?: Ref<PlayerHandle>;
}

/** Plays a recording. Space plays and pauses, the arrows go back and ahead. */
export function Player({ id, lengthS, onTime, ref }: Props) {
  const t = useT();
  const audio = useRef<HTMLAudioElement>(null);
  const [at, setAt] = useState(0);
  const [whole, setWhole] = useState(lengthS);
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState("1");
  const [broken, setBroken] = useState(false);

  const seek = (seconds: number) => {
    if (audio.current) audio.current.currentTime = Math.min(Math.max(0, seconds), whole);
  };
  const toggle = () => {
    const element = audio.current;
    if (!element) return;
    if (element.paused) void element.play().catch(() => setBroken(true));
    else element.pause();
  };
  const move = (seconds: number) => seek((audio.current?.currentTime ?? 0) + seconds);
  useImperativeHandle(ref, () => ({
    playFrom: (seconds) => {
      seek(seconds);
      void audio.current?.play().catch(() => setBroken(true));
    },
  }));
  useKeys({ " ": toggle, ArrowLeft: () => move(-5), ArrowRight: () => move(5) });
  useEffect(() => {
    if (audio.current) audio.current.playbackRate = Number(speed);
  }, [speed]);

  return (
    <>
      {/* The words stand beside it, in the transcript. */}
      {/* eslint-disable-next-line jsx-a11y/media-has-caption */}
      <audio
        ref={audio}
        src={`/api/calls/${part(id)}/recording`}
        preload="metadata"
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onError={() => setBroken(true)}
        onLoadedMetadata={(event) =>
          Number.isFinite(event.currentTarget.duration) && setWhole(event.currentTarget.duration)
        }
        onTimeUpdate={(event) => {
          setAt(event.currentTarget.currentTime);
          onTime(event.currentTarget.currentTime);
        }}
      />
      {broken && (
        <Alert color="orange" mb="sm" role="alert">
          {t("calls.broken")}
        </Alert>
      )}
      <Group gap="sm" wrap="nowrap">
        <Tooltip label={t("calls.back_10")}>
          <ActionIcon variant="subtle" color="gray" size="lg" onClick={() => move(-10)} aria-label={t("calls.back_10")}>
            <IconRewindBackward10 size={22} />
          </ActionIcon>
        </Tooltip>
        <ActionIcon
          size={44}
          radius="xl"
          onClick={toggle}
          aria-label={t(playing ? "calls.pause" : "calls.play")}
          disabled={broken}
        >
          {playing ? <IconPlayerPauseFilled size={20} /> : <IconPlayerPlayFilled size={20} />}
        </ActionIcon>
        <Tooltip label={t("calls.ahead_10")}>
          <ActionIcon variant="subtle" color="gray" size="lg" onClick={() => move(10)} aria-label={t("calls.ahead_10")}>
            <IconRewindForward10 size={22} />
          </ActionIcon>
        </Tooltip>
        <Text size="sm" className="tabular nowrap">
          {clock(at)}
        </Text>
        <Slider
          flex={1}
          value={at}
          max={Math.max(whole, 1)}
          step={0.1}
          label={clock}
          onChange={seek}
          thumbLabel={t("calls.position")}
        />
        <Text size="sm" c="dimmed" className="tabular nowrap">
          {clock(whole)}
        </Text>
        <SegmentedControl
          size="xs"
          visibleFrom="sm"
          aria-label={t("calls.speed")}
          value={speed}
          onChange={setSpeed}
          data={["1", "1.5", "2"].map((value) => ({ value, label: `${value}×` }))}
        />
      </Group>
    </>
  );
}
