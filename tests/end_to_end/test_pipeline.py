"""The pipeline spec: clips of three formats become one film, and one changed clip becomes a new film."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.end_to_end.workspace import Services, Workspace

OPENING, ARTIST, END = "1-opening-mp4-9e572077", "2-the-artist-s-film-avi-6b08f610", "3-the-end-mkv-8093933b"
BLUE, RED = "blue", "red"


def of_film(film: Path) -> tuple[list[tuple[str, int | None]], int]:
    """What ffprobe says of a film: codec and width of its streams, and its seconds."""
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", str(film)]
    probed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True)
    found = json.loads(probed.stdout)
    streams = [(stream["codec_name"], stream.get("width")) for stream in found["streams"]]
    return streams, round(float(found["format"]["duration"]))


def colour(film: Path, second: float) -> str:
    """The strongest colour in the middle of the picture at one time."""
    picture = ("-frames:v", "1", "-vf", "crop=8:8,scale=1:1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    command = ["ffmpeg", "-nostdin", "-v", "error", "-ss", str(second), "-i", str(film), *picture]
    pixel = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True).stdout
    return max(zip(pixel, (RED, "green", BLUE), strict=True))[1]


def test_clips_are_encoded_then_joined_and_a_changed_clip_changes_the_film(
    make: Callable[[str], Workspace], raw: Services
) -> None:
    work = make("pipeline")
    film = work.folder / "results/pipeline/film.mp4"

    ran = work.run("apply")

    assert ran.code == 0, ran
    assert of_film(film) == ([("h264", 320), ("aac", None)], 4)
    assert (colour(film, 0.5), colour(film, 3.8)) == (BLUE, RED)
    assert set(raw.content(f"{work.name}-encoded")) == {f"{clip}.mkv" for clip in (OPENING, ARTIST, END)}
    before = raw.added(f"{work.name}-job")
    assert set(before) == {OPENING, ARTIST, END, "concatenate"}

    clips = work.folder / "specs/pipeline"
    shutil.copy(clips / "3 the end.mkv", clips / "1 opening.mp4")  # ffmpeg looks into a file, not at its name
    changed = work.run("apply", "--yes", "--force")

    assert changed.code == 0, changed
    after = raw.added(f"{work.name}-job")
    assert {task for task in after if after[task] != before[task]} == {OPENING, "concatenate"}
    assert (of_film(film)[1], colour(film, 0.5), colour(film, 3.8)) == (4, RED, RED)

    (clips / "1 opening.mp4").unlink()
    shorter = work.run("apply", "--yes")

    assert shorter.code == 0, shorter
    assert of_film(film)[1] == 3
    assert raw.tasks(f"{work.name}-job")[OPENING] == ("completed", "success", 0)  # kept, though its clip has gone

    deleted = work.run("delete", "--yes")
    assert deleted.code == 0, deleted
    assert raw.of(work.name) == ([], [], [f"{work.name}-output"])
