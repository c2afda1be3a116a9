"""What a file is, recognized by its content and only then by its name, and which files an input names."""

from collections.abc import Collection, Sequence
from pathlib import Path

from rnnlm.errors import RnnlmError
from rnnlm.text.csv_rows import first_lines, is_table
from rnnlm.text.fields import USUAL_FIELDS
from rnnlm.text.json_records import recognize_json
from rnnlm.text.lines import STDIN, Lines

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": "txt",
    ".parquet": "parquet",
}
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")
