"""The ffmpeg workload, from five MP4 files to five MP3 files."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.end_to_end.workspace import Services, Workspace, workspace

STEMS = {"bars", "countdown", "fanfare", "tone", "L'été d'Ana, v1.2"}


def sound(file: Path) -> tuple[str, str, bool]:
    """What ffprobe says of a file: its format, its codec, and whether it lasts about as long as the inputs."""
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", str(file)]
    probed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True)
    found = json.loads(probed.stdout)
    (stream,) = found["streams"]
    return found["format"]["format_name"], stream["codec_name"], 1 < float(found["format"]["duration"]) < 2


def test_the_spec_as_shipped_makes_five_mp3_files_and_cleans_up_its_inputs(
    env: Mapping[str, str], raw: Services, tmp_path: Path
) -> None:
    work = workspace(tmp_path / "work", "ffmpeg", env)

    first = work.run("apply")

    assert first.code == 0, first
    files = {file.stem: sound(file) for file in (work.folder / "results/ffmpeg").iterdir()}
    assert files == dict.fromkeys(STEMS, ("mp3", "mp3", True))
    assert raw.of("ffmpeg") == (["ffmpeg-pool"], ["ffmpeg-job"], ["ffmpeg-output"])
    assert set(raw.content("ffmpeg-output")) == {f"{stem}.mp3" for stem in STEMS}
    pool = raw.batch.get_pool("ffmpeg-pool")
    assert (pool.current_dedicated_nodes, pool.current_low_priority_nodes) == (0, 5)

    again = work.run("apply")
    assert (again.code, "Nothing to do" in again.stdout) == (0, True), again
    assert raw.of("ffmpeg") == (["ffmpeg-pool"], ["ffmpeg-job"], ["ffmpeg-output"])

    deleted = work.run("delete", "--yes")
    assert deleted.code == 0, deleted
    assert raw.of("ffmpeg") == ([], [], ["ffmpeg-output"])
    assert set(raw.content("ffmpeg-output")) == {f"{stem}.mp3" for stem in STEMS}


def test_a_changed_video_after_the_clean_up_brings_back_what_its_task_needs(ffmpeg: Workspace, raw: Services) -> None:
    first = ffmpeg.run("apply")
    assert first.code == 0, first
    tasks = raw.added(f"{ffmpeg.name}-job")

    videos = ffmpeg.folder / "specs/ffmpeg"
    (videos / "bars.mp4").write_bytes((videos / "tone.mp4").read_bytes())
    second = ffmpeg.run("apply", "--yes")

    assert second.code == 0, second
    added = raw.added(f"{ffmpeg.name}-job")
    assert {task for task in added if added[task] != tasks[task]} == {"bars"}
    assert raw.of(ffmpeg.name)[2] == [f"{ffmpeg.name}-output"]
    mp3 = {name: content for name, content in raw.content(f"{ffmpeg.name}-output").items() if name[0] in "bt"}
    assert mp3["bars.mp3"] == mp3["tone.mp3"]
