import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent
texts = [f"row {i} " + "naïve 日本 🙂\n"[: i % 13] + "words " * (i % 5) for i in range(30)]
texts[7] = None
texts[11] = ""
(here / "rows.json").write_text(json.dumps(texts) + "\n")
table = pa.table({"id": pa.array(range(30)), "text": pa.array(texts), "label": pa.array([i % 2 for i in range(30)])})
for compression in ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]:
    pq.write_table(table, here / f"{compression}.parquet", compression=compression, row_group_size=12)
pq.write_table(table, here / "plain.parquet", compression="snappy", use_dictionary=False, data_page_version="2.0")
batches = table.to_batches(max_chunksize=12)
with pa.OSFile(str(here / "file.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
    for batch in batches:
        writer.write_batch(batch)
with pa.OSFile(str(here / "stream.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
    for batch in batches:
        writer.write_batch(batch)
large = table.set_column(1, "text", table["text"].cast(pa.large_string()))
with pa.OSFile(str(here / "large.arrow"), "wb") as sink, pa.ipc.new_stream(sink, large.schema) as writer:
    writer.write_table(large)
dictionary = table.set_column(1, "text", table["text"].combine_chunks().dictionary_encode())
with pa.OSFile(str(here / "dictionary.arrow"), "wb") as sink, pa.ipc.new_file(sink, dictionary.schema) as writer:
    writer.write_table(dictionary)

# Objects within objects, nulls at every depth, many small pages.
nested = [
    {
        "id": i,
        "meta": None
        if i % 7 == 3
        else {"text": None if i % 5 == 2 else f"row {i} naïve", "deep": {"x": f"deep {i}"} if i % 3 else None},
        "tags": [f"tag {i}"],
    }
    for i in range(40)
]
options = {"row_group_size": 25, "data_page_size": 64, "write_batch_size": 8}
pq.write_table(pa.Table.from_pylist(nested), here / "nested.parquet", **options)
pq.write_table(pa.Table.from_pylist(nested), here / "nested_v2.parquet", data_page_version="2.0", **options)
