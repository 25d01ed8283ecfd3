"""A power cut in software: what a disk would hold if every byte that was not synced were lost.

A small library is preloaded into a child process. Whenever the child syncs a file, its content is copied under
its inode number; whenever it syncs a folder, the folder's names are. After a SIGKILL, `what_is_left` builds the
folder from these copies alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_SOURCE = r"""
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void keep(int fd) {
    const char *from = getenv("POWER_FOLDER"), *to = getenv("POWER_KEPT");
    char link[64], path[4096], part[4200], whole[4200], data[65536];
    struct stat about;
    if (!from || !to || fstat(fd, &about)) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = 0;
    if (strncmp(path, from, strlen(from))) return;
    snprintf(part, sizeof part, "%s/part-%ld", to, syscall(SYS_gettid));
    snprintf(whole, sizeof whole, "%s/%lu", to, (unsigned long)about.st_ino);
    int out = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (out < 0) abort();
    if (S_ISDIR(about.st_mode)) {
        DIR *folder = opendir(path);
        struct dirent *one;
        while (folder && (one = readdir(folder)))
            if (one->d_name[0] != '.') dprintf(out, "%lu %s\n", (unsigned long)one->d_ino, one->d_name);
        if (folder) closedir(folder);
    } else {
        int in = open(link, O_RDONLY);
        if (in < 0) abort();
        while ((length = read(in, data, sizeof data)) > 0)
            if (write(out, data, length) != length) abort();
        close(in);
    }
    close(out);
    if (rename(part, whole)) abort();
}

int fsync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    int result = real(fd);
    if (!result) keep(fd);
    return result;
}

int fdatasync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
    int result = real(fd);
    if (!result) keep(fd);
    return result;
}
"""


class Power:
    """Children started here can have their power cut. `folder` is theirs to write in."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "disk"
        self.kept = place / "kept"
        self._library = place / "power.so"
        for made in (self.folder, self.kept):
            made.mkdir()
        source = place / "power.c"
        source.write_text(_SOURCE)
        subprocess.run(["cc", "-O1", "-w", "-shared", "-fPIC", "-o", self._library, source, "-ldl"], check=True)

    @staticmethod
    def possible() -> bool:
        return shutil.which("cc") is not None and sys.platform == "linux"

    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self._library),
            "POWER_FOLDER": str(self.folder.resolve()),
            "POWER_KEPT": str(self.kept.resolve()),
        }

    def what_is_left(self, place: Path) -> Path:
        """The child's folder as the disk has it, built in `place`; files never synced are empty, names may be gone."""
        self._build(self.folder, place)
        return place

    def _build(self, folder: Path, place: Path) -> None:
        place.mkdir()
        listing = self.kept / str(folder.stat().st_ino)
        for line in listing.read_text().splitlines() if listing.exists() else []:
            inode, name = line.split(" ", 1)
            kept = self.kept / inode
            if (folder / name).is_dir():
                self._build(folder / name, place / name)
            elif kept.exists():
                shutil.copyfile(kept, place / name)
            else:
                (place / name).touch()


def content(*paths: Path) -> bytes:
    """Of files that SQLite may have open here: another process reads them, for closing one would end SQLite's locks."""
    return subprocess.run(["cat", *map(str, paths)], check=True, capture_output=True).stdout


def child(program: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    """A Python process of its own in this checkout, whose lines are read through `stdout`."""
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env=os.environ | {"PYTHONPATH": root} | environment,
    )


def killed_after(process: subprocess.Popen[str], lines: int) -> list[str]:
    """SIGKILL once the child has printed that many lines; gives every whole line that it got out."""
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(lines)]
    assert all(said), f"the child ended by itself: {process.wait()}"
    process.kill()
    said += process.stdout.readlines()
    ended(process)
    return [line.strip() for line in said if line.endswith("\n")]


def ended(process: subprocess.Popen[str]) -> int:
    """Its exit code, with nothing of it left open."""
    code = process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    return code
