"""Values of documents as `datasets` gives them to a task: test/eval/data/document_values.test.ts compares ours.

    python3 -m venv venv && venv/bin/pip install datasets pyarrow pandas
    venv/bin/python document_values.py test/golden/documents

Writes columns.parquet and columns.arrow (one column of each type) and values.json: for each column, and each text of JSON
or CSV below, `str` and `repr` of its values.
"""
import datetime as dt
import decimal
import json
import os
import sys
import tempfile

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

datasets.disable_progress_bars()
D = decimal.Decimal
OUT = sys.argv[1]
NOON = dt.datetime(2024, 1, 2, 3, 4, 5)
EARLY = dt.datetime(1950, 1, 1)

COLUMNS = {
    "int8": pa.array([1, None, -3], pa.int8()),
    "uint8": pa.array([1, None, 255], pa.uint8()),
    "uint32": pa.array([1, None, 2**32 - 1], pa.uint32()),
    "int64": pa.array([2**53 + 1, None, 7], pa.int64()),
    "uint64": pa.array([2**64 - 1, None, 3], pa.uint64()),
    "float16": pa.array([np.float16(0.1), None, np.float16(6)], pa.float16()),
    "float32": pa.array([0.1, None, 6], pa.float32()),
    "float64": pa.array([6.0, float("nan"), 1e16]),
    "date32": pa.array([dt.date(2024, 1, 2), None, dt.date(1950, 12, 31)], pa.date32()),
    "date64": pa.array([dt.date(2024, 1, 2), None, dt.date(1950, 12, 31)], pa.date64()),
    "timestamp_s": pa.array([NOON, None, EARLY], pa.timestamp("s")),
    "timestamp_ms": pa.array([NOON.replace(microsecond=678000), None, EARLY], pa.timestamp("ms")),
    "timestamp_us": pa.array([NOON.replace(microsecond=678901), None, EARLY], pa.timestamp("us")),
    "timestamp_ns": pa.array([1704164645678901234, None, 0], pa.timestamp("ns")),
    "timestamp_utc": pa.array([NOON, None, EARLY], pa.timestamp("us", tz="UTC")),
    "timestamp_zone": pa.array([NOON, None, EARLY], pa.timestamp("us", tz="Europe/Berlin")),
    "timestamp_offset": pa.array([NOON, None, EARLY], pa.timestamp("us", tz="+02:00")),
    "timestamp_ns_zone": pa.array([1, None, 1704164645678901234], pa.timestamp("ns", tz="Europe/Berlin")),
    "time32": pa.array([dt.time(1, 2, 3, 4000), None, dt.time(0)], pa.time32("ms")),
    "time64": pa.array([dt.time(1, 2, 3, 4), None, dt.time(23, 59, 59)], pa.time64("us")),
    "duration_s": pa.array([dt.timedelta(days=1, seconds=2), None, dt.timedelta(seconds=-1)], pa.duration("s")),
    "duration_us": pa.array([dt.timedelta(2, 2, 3), None, dt.timedelta(microseconds=-1)], pa.duration("us")),
    "duration_ns": pa.array([1500, None, 0], pa.duration("ns")),
    "decimal": pa.array([D("1.50"), None, D("-0.01")], pa.decimal128(10, 2)),
    "decimal_whole": pa.array([D("150"), None, D("1")], pa.decimal128(10, 0)),
    "decimal_large": pa.array([D("12345678901234567890123.456789"), None, D("0")], pa.decimal128(38, 6)),
    "decimal_small": pa.array([D("0.0000000123"), None, D("0")], pa.decimal128(20, 10)),
    "binary": pa.array([b"a\x00\xff'\"\n", None, b""], pa.binary()),
    "fixed_binary": pa.array([b"ab", None, b"\xff\x00"], pa.binary(2)),
    "string": pa.array(["x", None, "z'"]),
    "bool": pa.array([True, None, False]),
    "list": pa.array([[1, 2], None, []], pa.list_(pa.int64())),
    "list_float32": pa.array([[1.0, None], None, [0.1]], pa.list_(pa.float32())),
    "fixed_list": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int32(), 2)),
    "struct": pa.array([{"x": 1, "y": 6.0}, None, {"x": None, "y": 1e-7}]),
    "list_struct": pa.array([[{"x": 1.0}], None, []]),
    "list_date": pa.array([[dt.date(2024, 1, 2)], None, []], pa.list_(pa.date32())),
    "struct_time": pa.array(
        [{"d": NOON, "c": D("1.10")}, None, {"d": None, "c": None}],
        pa.struct([("d", pa.timestamp("us")), ("c", pa.decimal128(5, 2))]),
    ),
    "dictionary": pa.array(["u", None, "u"]).dictionary_encode(),
    "null": pa.nulls(3),
}

# The values of column a.
JSON = [
    ["6.5", "7"], ["7", "null"], ["6.0", "1e16", "0.00001", "0.1", "-0.0"], ["9007199254740993", "7"], ["-0", "3"],
    ["true", "false", "null"], ["true", "1"], ["1", '"x"'], ['"x"', "1.0"], ['"1.0"', "2"], ['"true"', "1"], ['"5 apples"', "2"],
    ["9007199254740993", "0.5"], ["9223372036854775807"], ["9223372036854775808"], ["123456789012345678901234567890"],
    ["NaN", "1"], ["Infinity", "-Infinity"], ["[1, 2.5]", "[]"], ["[1, null, 2.5]", "null"], ["[[1], [2.0]]"], ["[]"], ["null", "[1]"],
    ['[1, "x"]'], ["[true, 1]"], ["[1]", "[[1]]"], ["1", "[1]"], ['["1", 2]'],
    ['{"x": 1}', '{"y": 2.0}', "null"], ['{"x": 1, "y": 2}', '{"y": 2.5, "x": 1}'], ['{"x": 1}', '"s"'], ["{}", "{}"],
    ['{"x": 1.0, "y": {"z": 1}}', '{"x": 2, "y": {"w": 2}}'], ['{"x": null}', '{"x": 1.0}'], ['{"x": "1"}', "{}"],
    ['[{"x": 1}, {"x": 2.5, "y": null}]'],
    ['"2024-01-02"', '"2024-01-03"', "null"], ['"2024-01-02T03:04:05Z"'], ['"2024-01-02 03:04"'], ['"2024-01-02T03:04:05+02:00"'],
    ['"2024-01-02T03:04-0030"'], ['"2024-01-02T03"'], ['"2024-01-02"', '"x"'], ['"2024-01-02"', "5"], ['"2024-01-02Z"'],
    ['"2024-02-30"'], ['"2024-01-02T24:00"'], ['"2024-01-02T03:04:05.5"'], ['"0001-01-01"'], ['["2024-01-02"]'], ['{"d": "2024-01-02"}'],
    ['"12:30"'], ['"20240102"'], ["0.1", "100000000000000000000000.0", "1.7976931348623157e308", "1e-400"], ['"a\\u0000\'\\u00e9"'],
]
# Columns of CSV below the name a; the second column is b.
CSV = [
    ["1,x", ",y"], ["True,1", "False,2"], ["True,1", ",2"], ["TRUE,1", "false,2"], ["True,1", "1,1"], ["6.0,1", "7,2"], ["007,1", "8,2"],
    ["NA,1", "x,2"], ["None,1", "n/a,2"], ["2024-01-02,1"], ["9007199254740993,1", "1,1"], ["9223372036854775808,1"], ["1e16,1"], ["inf,1", "-inf,2"],
    ["nan,1", "1,2"], [" 1,1", "2,2"], ['"1",1', '"2",2'], ["0x10,1"], ["1_000,1"], ["+5,1", "-3,2"], ["1.,1", ".5,2"], ["1,1", "x,2", "2.50,3"],
    ['"x\ny",1', "3,4"], ["-0,1"], ["-0.0,1"], ["Infinity,1", "1,2"], ["0.30000000000000004,1"], ["3"],
]


def values(kind, file):
    with tempfile.TemporaryDirectory() as cache:
        rows = list(datasets.load_dataset(kind, data_files={"test": file}, cache_dir=cache)["test"])
    return {name: {"str": [str(row[name]) for row in rows], "repr": [repr(row[name]) for row in rows]} for name in rows[0]}


def of_text(kind, text):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, f"test.{kind}")
        with open(file, "w") as out:
            out.write(text)
        return {"text": text, "columns": values("json" if kind == "jsonl" else kind, file)}


table = pa.table(COLUMNS)
result = {}
pq.write_table(table, os.path.join(OUT, "columns.parquet"))
with pa.OSFile(os.path.join(OUT, "columns.arrow"), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
    writer.write_table(table)
result["parquet"] = values("parquet", os.path.join(OUT, "columns.parquet"))
result["arrow"] = values("arrow", os.path.join(OUT, "columns.arrow"))
result["jsonl"] = [of_text("jsonl", "".join(f'{{"a": {value}}}\n' for value in column)) for column in JSON]
result["jsonl"].append(of_text("jsonl", '{"a": 1}\n{"b": 2.0}\n{"a": null, "b": 3}\n'))
result["csv"] = [of_text("csv", "".join(f"{line}\n" for line in ["a,b", *lines])) for lines in CSV]
with open(os.path.join(OUT, "values.json"), "w") as out:
    json.dump(result, out, indent=1, ensure_ascii=False)
    out.write("\n")
