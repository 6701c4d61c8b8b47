"""The size of the benchmark: full and short."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BenchmarkSize:
    """Numbers of repetitions, images and minutes."""

    repetitions: int
    small: int
    photos: int
    many_photos: int  # so many that starting up is the small part that it is with real data
    growth: tuple[int, int, int]
    minutes: float  # of training, for each seed and side


FULL = BenchmarkSize(
    3, small=50_000, photos=3_000, many_photos=10_000, growth=(1_000, 20_000, 200_000), minutes=15
)
SHORT = BenchmarkSize(
    1, small=5_000, photos=500, many_photos=500, growth=(500, 2_000, 10_000), minutes=1
)
