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
