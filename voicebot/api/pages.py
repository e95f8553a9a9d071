"""The built console at /: its files, and its one page for every address that the page itself understands."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, PlainTextResponse, Response

from voicebot.api.parts import Parts

INDEX = "index.html"
HASHED = "assets/"
"""Files below it have a hash of their contents in their name: they never change."""

LASTING = "public, max-age=31536000, immutable"
NOT_BUILT = "The pages are not built. Build them: make console\n"

router = APIRouter(include_in_schema=False)


@router.get("/{path:path}")
async def page(path: str, parts: Parts, request: Request) -> Response:
    """A file of the console, or its page. What looks like a file and is none is not found, so that mistakes show."""
    if path == "api" or path.startswith("api/"):
        raise HTTPException(404)
    if not (parts.pages / INDEX).is_file():
        return PlainTextResponse(NOT_BUILT, status_code=503, headers={"Cache-Control": "no-store"})
    file = _inside(parts.pages, path)
    if file is not None:
        lasting = path.startswith(HASHED)
        return FileResponse(file, headers={"Cache-Control": LASTING if lasting else "no-cache"})
    if PurePosixPath(path).suffix:
        raise HTTPException(404)
    return FileResponse(parts.pages / INDEX, headers={"Cache-Control": "no-cache"})


def _inside(folder: Path, path: str) -> Path | None:
    """The file of that path, if it lies in the folder."""
    if "\0" in path:
        return None
    file = (folder / path).resolve()
    return file if file.is_relative_to(folder.resolve()) and file.is_file() else None
