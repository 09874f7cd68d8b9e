"""croissant.json of a release: its files and columns in MLCommons' Croissant 1.0 vocabulary."""

from typing import Any

import pyarrow as pa

from exports.columns import TABLES
from exports.files import hash_file
from exports.release_folder import ReleaseFolder

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
DATA_TYPES = {
    pa.string(): "sc:Text",
    pa.float64(): "sc:Float",
    pa.int64(): "sc:Integer",
    pa.bool_(): "sc:Boolean",
    pa.date32(): "sc:Date",
}


def describe_dataset(folder: ReleaseFolder, facts: dict[str, Any]) -> dict[str, Any]:
    """The description as JSON-LD: one record set per table, without nested columns."""
    files = [folder.table_path(name) for name in TABLES]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": facts["campaign"],
        "description": facts["description"] or facts["title"],
        "alternateName": facts["title"],
        "license": f"https://spdx.org/licenses/{facts['licence']}" if facts["licence"] else "not stated",
        "version": facts["version"],
        "datePublished": facts["cutoff"][:10],
        "inLanguage": facts["languages"],
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": path.name,
                "name": path.name,
                "contentUrl": f"data/{path.name}",
                "encodingFormat": "application/x-parquet",
                "sha256": hash_file(path),
            }
            for path in files
        ],
        "recordSet": [_record_set(folder, name) for name in TABLES],
    }


def _record_set(folder: ReleaseFolder, name: str) -> dict[str, Any]:
    fields = [_field(name, field) for field in folder.table(name).schema]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": str(TABLES[name].meaning),
        "field": [field for field in fields if field],
    }


def _field(table: str, field: pa.Field) -> dict[str, Any] | None:
    is_list = pa.types.is_list(field.type)
    data_type = DATA_TYPES.get(field.type.value_type if is_list else field.type)
    if data_type is None:
        return None
    column = TABLES[table].by_name.get(field.name)
    described = {
        "@type": "cr:Field",
        "@id": f"{table}/{field.name}",
        "name": field.name,
        "description": str(column.meaning) if column else field.name,
        "dataType": data_type,
        "source": {"fileObject": {"@id": f"{table}.parquet"}, "extract": {"column": field.name}},
    }
    return described | ({"repeated": True} if is_list else {})
