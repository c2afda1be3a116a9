"""Make a file of the shape of a month of Reddit's comments, as the public dumps have it.

It holds JSON lines with every field of such a comment, compressed in several frames by zstd with a window of 2 GB,
as ``zstd --long=31`` does. The same seed and size make the same file. The words are drawn at random:

    python scripts/make_reddit_dump.py RC_2026-01.zst --megabytes 1000
    rnnlm preprocess RC_2026-01.zst --workers 2
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MEGABYTES_PER_FRAME = 256
# Drawn by Zipf's law; the signs and letters beyond ASCII are written as escapes.
FREQUENT = (
    "the to a and i of it you is that in for not this my but have was on are they be with just like if so what or"
    " as people do me at one all can your would don’t it’s i’m there get no more about from when will some how"
    " think know time good really because then even than them who want make out only up see much he she we naïve"
    " café 😀 — … 日本"
)
SYLLABLES = "ba de ki lo mu na re sa ti vo wel char stin ger ron tan ple mor"
SUBREDDITS = ("askscience", "AskReddit", "books", "cooking", "history", "movies", "programming", "science")
FIRST_OF_JANUARY_2026 = 1_767_225_600


class Words:
    """Words and texts that look like those of people, in number and length."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._syllables = SYLLABLES.split()
        rare = ("".join(rng.choices(self._syllables, k=rng.randint(2, 4))) for _ in range(40_000))
        self._words = [*FREQUENT.split(), *rare]
        total = 0.0
        self._cumulative = [total := total + 1 / (rank + 2) for rank in range(len(self._words))]

    def sentence(self) -> str:
        """Return a sentence."""
        count = self._rng.randint(3, 20)
        words = " ".join(self._rng.choices(self._words, cum_weights=self._cumulative, k=count))
        return words.capitalize() + self._rng.choice(("?", "!", ".", ".", ".", ".", "..."))

    def comment(self) -> str:
        """Return the text of a comment, which may be deleted, quote another, or be of several paragraphs."""
        kind = self._rng.random()
        if kind < 0.06:
            return "[deleted]" if kind < 0.03 else "[removed]"
        text = " ".join(self.sentence() for _ in range(self._rng.randint(1, 5)))
        if kind < 0.12:
            return f"&gt; {self.sentence()}\n\n{text}"
        if kind < 0.2:
            return f"{text}\n\n{self.sentence()} [link](https://example.com/{self._rng.getrandbits(32):x}) **yes**"
        return text

    def name(self) -> str:
        """Return the name of an author."""
        return "".join(self._rng.choices(self._syllables, k=3)) + str(self._rng.randrange(1000))


def base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def comments(seed: int) -> Iterator[dict[str, Any]]:
    """Yield comments without end."""
    rng = random.Random(seed)
    words = Words(rng)
    number = 0
    while True:
        number += rng.randint(1, 3)
        created = FIRST_OF_JANUARY_2026 + number // 60
        body = words.comment()
        is_deleted = body == "[deleted]"
        subreddit = rng.choice(SUBREDDITS)
        identity, post = base36(10**12 + number), base36(10**9 + number // 500)
        yield {
            "all_awardings": [],
            "approved_at_utc": None,
            "approved_by": None,
            "archived": False,
            "associated_award": None,
            "author": "[deleted]" if is_deleted else words.name(),
            "author_flair_background_color": "" if is_deleted else None,
            "author_flair_css_class": None,
            "author_flair_richtext": [] if rng.random() < 0.9 else [{"e": "text", "t": "Dr. " + words.name()}],
            "author_flair_template_id": None,
            "author_flair_text": None,
            "author_flair_text_color": "dark" if is_deleted else None,
            "author_flair_type": "text",
            "author_fullname": None if is_deleted else f"t2_{base36(rng.getrandbits(36) + 1)}",
            "author_is_blocked": False,
            "author_patreon_flair": False,
            "author_premium": rng.random() < 0.02,
            "awarders": [],
            "banned_at_utc": None,
            "banned_by": None,
            "body": body,
            "can_gild": False,
            "can_mod_post": False,
            "collapsed": is_deleted,
            "collapsed_because_crowd_control": None,
            "collapsed_reason": None,
            "collapsed_reason_code": "DELETED" if is_deleted else None,
            "comment_type": None,
            "controversiality": int(rng.random() < 0.05),
            "created": created,
            "created_utc": created,
            "distinguished": "moderator" if rng.random() < 0.01 else None,
            "downs": 0,
            "edited": created + 60.0 if rng.random() < 0.04 else False,
            "gilded": 0,
            "gildings": {},
            "id": identity,
            "is_submitter": rng.random() < 0.1,
            "likes": None,
            "link_id": f"t3_{post}",
            "locked": False,
            "mod_note": None,
            "mod_reason_by": None,
            "mod_reason_title": None,
            "mod_reports": [],
            "name": f"t1_{identity}",
            "no_follow": rng.random() < 0.5,
            "num_reports": None,
            "parent_id": f"t3_{post}" if rng.random() < 0.4 else f"t1_{base36(10**12 + number - 1)}",
            "permalink": f"/r/{subreddit}/comments/{post}/a_title/{identity}/",
            "removal_reason": None,
            "replies": "",
            "report_reasons": None,
            "retrieved_on": created + 90_000,
            "saved": False,
            "score": int(rng.paretovariate(1.2)),
            "score_hidden": False,
            "send_replies": True,
            "stickied": False,
            "subreddit": subreddit,
            "subreddit_id": "t5_2qm4e",
            "subreddit_name_prefixed": f"r/{subreddit}",
            "subreddit_type": "public",
            "top_awarded_type": None,
            "total_awards_received": 0,
            "treatment_tags": [],
            "unrepliable_reason": None,
            "ups": 1,
            "user_reports": [],
        }


def write_dump(path: Path, megabytes: int, seed: int) -> tuple[int, int]:
    """Write a dump of so many megabytes when decompressed; return how many comments and bytes it has."""
    options = {
        zstd.CompressionParameter.compression_level: 3,
        zstd.CompressionParameter.window_log: 31,
        zstd.CompressionParameter.enable_long_distance_matching: 1,
        zstd.CompressionParameter.checksum_flag: 1,
    }
    count = size = of_frame = 0
    compressor = zstd.ZstdCompressor(options=options)
    with path.open("wb") as file:
        for comment in comments(seed):
            line = json.dumps(comment, separators=(",", ":")).encode() + b"\n"
            file.write(compressor.compress(line))
            count, size, of_frame = count + 1, size + len(line), of_frame + len(line)
            if size >= megabytes * 1_000_000:
                break
            if of_frame >= MEGABYTES_PER_FRAME * 1_000_000:
                file.write(compressor.flush(zstd.ZstdCompressor.FLUSH_FRAME))
                of_frame = 0
        file.write(compressor.flush(zstd.ZstdCompressor.FLUSH_FRAME))
    return count, size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", default=Path("RC_2026-01.zst"))
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the JSON lines (default: 1000)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    count, size = write_dump(arguments.file, arguments.megabytes, arguments.seed)
    print(f"{arguments.file}: {count:,} comments, {size:,} bytes of JSON lines")


if __name__ == "__main__":
    main()
