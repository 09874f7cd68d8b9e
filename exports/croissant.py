"""croissant.json of a release: files, columns and responsible-AI terms in MLCommons' Croissant 1.1."""

from typing import Any

import pyarrow as pa

from exports.columns import TABLES
from exports.datasheet import collection_in_words
from exports.files import hash_file
from exports.release_folder import ReleaseFolder

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
NO_ATTRIBUTES = ("annotator_id", "profile_text", "weight", "flags")
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
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": facts["campaign"],
        "description": facts["description"] or facts["title"],
        "alternateName": facts["title"],
        "license": f"https://spdx.org/licenses/{facts['licence']}" if facts["licence"] else "not stated",
        "version": facts["version"],
        "datePublished": facts["cutoff"][:10],
        "citeAs": _citation(facts),
        "inLanguage": facts["languages"],
        **_responsible_ai(folder, facts),
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


def _citation(facts: dict[str, Any]) -> str:
    """BibTeX of the release."""
    key = f"{facts['campaign']}-{facts['version']}"
    return (
        f"@misc{{{key}, title = {{{facts['title']}}}, year = {{{facts['cutoff'][:4]}}}, "
        f"version = {{{facts['version']}}}, note = {{Jury-pluralistic release made with Empanel}}}}"
    )


def _responsible_ai(folder: ReleaseFolder, facts: dict[str, Any]) -> dict[str, Any]:
    """The RAI vocabulary's terms, said from the release itself."""
    rows = facts["rows"]
    attributes = [name for name in folder.table("annotators").schema.names if name not in NO_ATTRIBUTES]
    each = rows["ratings"] / rows["candidates"] if rows["candidates"] else 0
    return {
        "rai:dataCollection": collection_in_words(facts),
        "rai:dataCollectionType": ["Surveys", "Manual Human Curator"],
        "rai:dataCollectionMissingData": "Every missing answer keeps its reason in the column `missing`.",
        "rai:dataPreprocessingProtocol": "None: every answer is kept apart and as given.",
        "rai:dataImputationProtocol": "None: nothing is imputed.",
        "rai:dataAnnotationProtocol": _list_questions(folder),
        "rai:dataAnnotationPlatform": "Empanel",
        "rai:dataAnnotationAnalysis": "Agreement and welfare with intervals stand in metrics.json.",
        "rai:annotationsPerItem": f"{each:.1f} ratings per candidate, over all criteria",
        "rai:annotatorDemographics": f"{rows['annotators']} annotators; columns: "
        + (", ".join(attributes) or "none"),
        "rai:personalSensitiveInformation": "Annotators have random ids. Their answers about themselves "
        "are in a release only where they and the campaign's policy allow it. " + _hidden_among(facts),
        "rai:dataReleaseMaintenancePlan": "A release never changes. Later ones leave out whoever withdrew, "
        "and list the ids they had.",
        "rai:dataLimitations": "The ratings are those of this jury, and stand for no other population.",
        "rai:dataUseCases": "Judging responses by the jury's own ratings; models of individual jurors.",
    }


def _hidden_among(facts: dict[str, Any]) -> str:
    """The k of the release, where it has annotators."""
    k = facts["privacy"]["k"]
    return "" if k is None else f"At least {k} annotators look alike in them (k-anonymity, k = {k})."


def _list_questions(folder: ReleaseFolder) -> str:
    rows = folder.table("criteria").to_pylist()
    return " ".join(f"{row['criterion']} ({row['kind']}): {row['question']}" for row in rows)


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
