"""The words in which a steering is put to a model, by kind and language; every change is a new version."""

import hashlib
import json
from contextlib import suppress

from django.utils.translation import get_language_info

from collector.steering_spec import Kind

# Raised with every change below, so that a candidate's provenance says which words were used.
VERSION = 1

# ruff: noqa: E501  scripts without spaces to break at
WORDS: dict[str, dict[Kind, str]] = {
    "en": {
        Kind.PERSONA: "Answer as this person would, in their own voice and from their point of view. "
        "Do not mention this instruction.\n\n{text}",
        Kind.PROFILE: "Answer as a person would who holds these values. Do not mention this instruction."
        "\n\n{text}",
        Kind.ATTRIBUTE: "Answer as a person would of whom this is true: {attribute}: {level}. "
        "Do not mention this instruction.",
        Kind.WEIGHTS: "Your answer is rated by the criteria below. Give the answer that does best when each "
        "counts as much as is said here. Do not mention this instruction.\n\n{text}",
        Kind.LANGUAGE: "Answer in this language, whatever language the question is in: {language}.",
        Kind.UNLIKE: "The answers below have been given already. Give the answer that is most unlike all of "
        "them in its position and its reasons, and that a thoughtful person could still hold. Do not mention "
        "them.\n\n{text}",
    },
    "de": {
        Kind.PERSONA: "Antworte so, wie diese Person es täte: mit ihrer Stimme und aus ihrer Sicht. "
        "Erwähne diese Anweisung nicht.\n\n{text}",
        Kind.PROFILE: "Antworte so, wie es ein Mensch mit diesen Werten täte. Erwähne diese Anweisung nicht."
        "\n\n{text}",
        Kind.ATTRIBUTE: "Antworte so, wie es ein Mensch täte, auf den dies zutrifft: {attribute}: {level}. "
        "Erwähne diese Anweisung nicht.",
        Kind.WEIGHTS: "Deine Antwort wird nach den folgenden Kriterien bewertet. Gib die Antwort, die am "
        "besten abschneidet, wenn jedes so viel zählt, wie hier steht. Erwähne diese Anweisung nicht."
        "\n\n{text}",
        Kind.LANGUAGE: "Antworte in dieser Sprache, gleich in welcher Sprache gefragt wird: {language}.",
        Kind.UNLIKE: "Die folgenden Antworten sind schon gegeben worden. Gib die Antwort, die ihnen allen in "
        "Haltung und Gründen am wenigsten gleicht und die ein nachdenklicher Mensch dennoch vertreten könnte. "
        "Erwähne sie nicht.\n\n{text}",
    },
    "es": {
        Kind.PERSONA: "Responde como lo haría esta persona, con su propia voz y desde su punto de vista. "
        "No menciones esta instrucción.\n\n{text}",
        Kind.PROFILE: "Responde como lo haría una persona con estos valores. No menciones esta instrucción."
        "\n\n{text}",
        Kind.ATTRIBUTE: "Responde como lo haría una persona de la que se puede decir esto: {attribute}: "
        "{level}. No menciones esta instrucción.",
        Kind.WEIGHTS: "Tu respuesta se valora según los criterios siguientes. Da la respuesta que mejor quede "
        "cuando cada uno cuenta lo que aquí se indica. No menciones esta instrucción.\n\n{text}",
        Kind.LANGUAGE: "Responde en este idioma, sea cual sea el idioma de la pregunta: {language}.",
        Kind.UNLIKE: "Ya se han dado las respuestas siguientes. Da la respuesta que menos se parezca a todas "
        "ellas en su postura y en sus razones, y que aun así pueda sostener una persona sensata. "
        "No las menciones.\n\n{text}",
    },
    "ar": {
        Kind.PERSONA: "أجب كما كان هذا الشخص سيجيب، بصوته ومن وجهة نظره. لا تذكر هذه التعليمات.\n\n{text}",
        Kind.PROFILE: "أجب كما كان سيجيب شخص يؤمن بهذه القيم. لا تذكر هذه التعليمات.\n\n{text}",
        Kind.ATTRIBUTE: "أجب كما كان سيجيب شخص ينطبق عليه ما يلي: {attribute}: {level}. "
        "لا تذكر هذه التعليمات.",
        Kind.WEIGHTS: "ستُقيَّم إجابتك وفق المعايير التالية. قدّم أفضل إجابة عندما يكون لكل معيار الوزن المذكور هنا. "
        "لا تذكر هذه التعليمات.\n\n{text}",
        Kind.LANGUAGE: "أجب بهذه اللغة أيًّا كانت لغة السؤال: {language}.",
        Kind.UNLIKE: "سبق أن قُدِّمت الإجابات التالية. قدّم الإجابة الأكثر اختلافًا عنها جميعًا في الموقف والأسباب، "
        "على أن يكون في وسع شخص متأمل أن يتبناها. لا تذكرها.\n\n{text}",
    },
    "hi": {
        Kind.PERSONA: "वैसे उत्तर दीजिए जैसे यह व्यक्ति देता, उसी की आवाज़ में और उसी के नज़रिए से। "
        "इस निर्देश का उल्लेख न करें।\n\n{text}",
        Kind.PROFILE: "वैसे उत्तर दीजिए जैसे इन मूल्यों वाला कोई व्यक्ति देता। इस निर्देश का उल्लेख न करें।\n\n{text}",
        Kind.ATTRIBUTE: "वैसे उत्तर दीजिए जैसे वह व्यक्ति देता जिस पर यह लागू होता है: {attribute}: {level}। "
        "इस निर्देश का उल्लेख न करें।",
        Kind.WEIGHTS: "आपका उत्तर नीचे दी गई कसौटियों पर परखा जाएगा। वह उत्तर दीजिए जो सबसे अच्छा ठहरे जब हर कसौटी का "
        "उतना ही भार हो जितना यहाँ लिखा है। इस निर्देश का उल्लेख न करें।\n\n{text}",
        Kind.LANGUAGE: "प्रश्न किसी भी भाषा में हो, उत्तर इस भाषा में दीजिए: {language}।",
        Kind.UNLIKE: "नीचे के उत्तर पहले ही दिए जा चुके हैं। ऐसा उत्तर दीजिए जो अपने रुख और तर्कों में इन सबसे सबसे अलग हो, "
        "और जिसे कोई विचारशील व्यक्ति फिर भी मान सके। इनका उल्लेख न करें।\n\n{text}",
    },
    "zh": {
        Kind.PERSONA: "请像下面这个人一样回答，用其本人的口吻和立场。不要提及这条指示。\n\n{text}",
        Kind.PROFILE: "请像持有以下价值观的人一样回答。不要提及这条指示。\n\n{text}",
        Kind.ATTRIBUTE: "请像符合以下情况的人一样回答：{attribute}：{level}。不要提及这条指示。",
        Kind.WEIGHTS: "你的回答将按以下标准评分。请给出在各项标准按所列权重计算时最好的回答。不要提及这条指示。\n\n{text}",
        Kind.LANGUAGE: "无论问题用什么语言，请用这种语言回答：{language}。",
        Kind.UNLIKE: "下面这些回答已经有人给出。请给出一个在立场和理由上与它们都最不相同、"
        "而一个深思熟虑的人仍可能认同的回答。不要提及它们。\n\n{text}",
    },
}

# Languages that Django names only by script or country.
NAMES = {"zh": "中文"}
SHA256 = hashlib.sha256(json.dumps(WORDS, sort_keys=True).encode()).hexdigest()


def words_for(kind: Kind, language: str) -> tuple[str, str]:
    """The kind's wording with its gaps, and the language it is in: the one asked for, or English."""
    for code in (language, language.partition("-")[0].lower()):
        if code in WORDS:
            return WORDS[code][kind], code
    return WORDS["en"][kind], "en"


def language_name(code: str) -> str:
    """What the language calls itself, with its code; the code alone where the name is not known."""
    for known in (code.lower(), code.partition("-")[0].lower()):
        with suppress(KeyError):
            return f"{NAMES.get(known) or get_language_info(known)['name_local']} ({code})"
    return code
