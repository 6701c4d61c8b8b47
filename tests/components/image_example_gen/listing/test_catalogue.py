import os
import subprocess
import sys
from collections.abc import Iterable

from components.image_example_gen.listing.catalogue import NO_STAMP, Catalogue, FileStamp
from components.image_example_gen.listing.entries import ImageFile, SkippedFile, printable
from components.image_example_gen.shards import make_shards

MANY = """
import resource
from components.image_example_gen.listing.catalogue import Catalogue, FileStamp
from components.image_example_gen.listing.entries import ImageFile
from components.image_example_gen.shards import make_shards

def resident_mib():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() >> 20

catalogue = Catalogue()
before = resident_mib()
for first in range(0, 400_000, 10_000):
    catalogue.add(
        (ImageFile(f"a class/and a folder of it/{first + number:09}.jpg", "a class"),
         FileStamp(5_000, 1, 1, 1)) for number in range(10_000)
    )
most, images, shards = 0, 0, 0
for shard in make_shards(catalogue, 1 << 27, 2):
    images, shards, most = images + len(shard.files), shards + 1, max(most, resident_mib())
print(images, shards, most - before)
"""


def catalogued(files: Iterable[ImageFile]) -> Catalogue:
    catalogue = Catalogue()
    catalogue.add((file, NO_STAMP) for file in files)
    return catalogue


def test_files_come_in_order_of_path_as_often_as_they_are_asked_for() -> None:
    files = [ImageFile(path, "x", None, "g") for path in ("b/1", "a b/2", "a/1", "ä/1")]
    catalogue = catalogued(files)
    for _ in range(2):
        assert [file.path for file in catalogue.files] == ["a b/2", "a/1", "b/1", "ä/1"]
    assert set(catalogue.files) == set(files)
    assert len(catalogue.files) == 4
    assert len(catalogue.skipped) == 0


def test_a_name_that_is_no_text_opens_and_is_found_by_what_is_shown_of_it() -> None:
    odd = os.fsdecode(b"a/\xff.jpg")
    catalogue = catalogued([ImageFile(odd, "a"), ImageFile("a/1.jpg", "a")])
    assert odd in {file.path for file in catalogue.files}
    found = catalogue.find(printable(odd))
    assert found is not None and found[0] == b"a/\xff.jpg"
    alike = catalogued([ImageFile(odd, "a"), ImageFile(printable(odd), "a")])
    assert alike.find(printable(odd)) is None
    assert catalogue.find("a/2.jpg") is None


def test_what_is_left_out_is_skipped_and_counted() -> None:
    catalogue = catalogued(ImageFile(f"{n}", "ab"[n % 2]) for n in range(10))
    catalogue.skip([SkippedFile("zz", "hidden", "")])
    catalogue.leave_out(["b"], "label_left_out", "why")
    assert catalogue.counts() == {("a", None): 5}
    assert catalogue.skip_reasons() == {"hidden": 1, "label_left_out": 5}
    assert [file.path for file in catalogue.skipped_for("label_left_out", 2)] == ["1", "3"]


def test_shards_are_made_when_they_are_asked_for_and_covered_files_are_in_none() -> None:
    catalogue = Catalogue()
    catalogue.add((ImageFile(f"{n:02}", "a"), FileStamp(100, 1, 1, 1)) for n in range(40))
    catalogue.mark_covered([b"07", b"08"])
    assert catalogue.count_to_ingest() == (38, 3800)
    shards = make_shards(catalogue, 1000, 1, first=5)
    first = next(shards)
    assert first.index == 5
    rest = list(shards)
    assert [shard.index for shard in rest] == [6, 7, 8]
    seen = {file.path for shard in (first, *rest) for file in shard.files}
    assert seen == {f"{n:02}" for n in range(40)} - {"07", "08"}


def test_memory_does_not_grow_with_the_files() -> None:
    ran = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, check=True)
    images, shards, more_mib = map(int, ran.stdout.split())
    assert (images, shards) == (400_000, 15)
    assert more_mib < 80
