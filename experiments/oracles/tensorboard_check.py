"""Does TensorBoard see in a run what its files say?

    python experiments/oracles/tensorboard_check.py RUN

Needs tensorboard and pyarrow. Compares every scalar and histogram that TensorBoard's EventAccumulator reads from the
event files of the folder with metrics.jsonl and telemetry.jsonl, step by step, also of a run that was interrupted; the
texts and the HParams page with samples.jsonl and config.yaml; telemetry.arrow with telemetry.jsonl.
"""

import json
import pathlib
import sys

import numpy
import pyarrow.feather
from tensorboard.backend.event_processing import plugin_event_multiplexer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.util import tensor_util

run = pathlib.Path(sys.argv[1])


def rows(name):
    file = run / name
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


histograms = ["weights", "gradients", "activations"]
scalars, buckets = {}, {}
for row in rows("metrics.jsonl"):
    for key, value in row.items():
        if key != "step" and isinstance(value, (int, float)):
            scalars.setdefault(f"metrics/{key}", []).append((row["step"], numpy.float32(value)))
for row in rows("telemetry.jsonl"):
    name = row["name"].removesuffix(".weight")
    for key, value in row.items():
        if key in histograms:
            buckets.setdefault(f"{key}/{name}", []).append((row["step"], value))
        elif key not in ("step", "name", "kind"):
            scalars.setdefault(f"{key}/{name}", []).append((row["step"], numpy.float32(value)))

seen = EventAccumulator(str(run), size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
seen.Reload()
assert set(seen.Tags()["scalars"]) == set(scalars), set(seen.Tags()["scalars"]) ^ set(scalars)
assert set(seen.Tags()["histograms"]) == set(buckets)
for tag, wanted in scalars.items():
    got = [(event.step, numpy.float32(event.value)) for event in seen.Scalars(tag)]
    assert got == wanted, (tag, got, wanted)
for tag, wanted in buckets.items():
    events = seen.Histograms(tag)
    assert [event.step for event in events] == [step for step, _ in wanted], tag
    for event, (_, row) in zip(events, wanted):
        value = event.histogram_value
        assert (value.min, value.max, list(value.bucket)) == (row["low"], row["high"], row["counts"]), tag
        assert value.num == sum(row["counts"])

# What the pages themselves read.
pages = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={"text": 0, "hparams": 0})
pages.AddRun(str(run), "run")
pages.Reload()
texts = []
if rows("samples.jsonl"):
    texts = [tensor_util.make_ndarray(event.tensor_proto).item().decode() for event in pages.Tensors("run", "sample")]
    wanted = ["\n".join("    " + line for line in row["text"].split("\n")) for row in rows("samples.jsonl")]
    assert texts == wanted, (texts, wanted)
content = pages.SummaryMetadata("run", hparams.SESSION_START_INFO_TAG).plugin_data.content
parameters = hparams.parse_session_start_info_plugin_data(content).hparams
assert parameters["optimizer.learning_rate"].number_value > 0

table = pyarrow.feather.read_table(run / "telemetry.arrow").to_pylist()
plain = [{key: value for key, value in row.items() if value is not None} for row in table]
checkpoint = max((row["step"] for row in plain), default=0)
assert plain == [row for row in rows("telemetry.jsonl") if row["step"] <= checkpoint]

points = sum(len(wanted) for wanted in scalars.values())
print(
    f"{run}: {len(scalars)} scalars with {points} points, {len(buckets)} histograms, {len(texts)} texts, "
    f"{len(parameters)} hyper-parameters, {len(plain)} rows of telemetry.arrow: as in the run's files"
)
