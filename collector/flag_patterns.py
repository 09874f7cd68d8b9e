"""The patterns by which a text names itself a model, or refuses: English, German, Spanish, Arabic, Hindi, Chinese.

Each asks for somebody speaking of themselves: a text about AI, or by a person who works on it, matches none.
"""

# ruff: noqa: E501  (a pattern a line reads better than a broken one)
import re

MAKERS = (
    r"(?:Open\s?AI|Anthropic|Google(?: DeepMind)?|DeepMind|Meta(?: AI)?|Microsoft|Mistral(?: AI)?|Alibaba(?: Cloud)?"
    r"|DeepSeek|Hugging ?Face(?:TB)?|xAI|Cohere|Baidu|Moonshot AI|Zhipu(?: AI)?|Nvidia|IBM"
    r"|أوبن ?إيه ?آي|جوجل|غوغل|गूगल|ओपनएआई|百度|阿里巴巴|阿里云|谷歌|字节跳动|智谱|微软|深度求索)"
)
# Names that are nothing else; and names that people, stars and animals have too.
MODELS = r"(?:ChatGPT|GPT-?[345]\w*|Qwen[\w.-]*|SmolLM[\w.-]*|DeepSeek|Mixtral|通义千问|文心一言|豆包)"
SHARED_NAMES = r"(?:Claude|Gemini|Llama|LLaMA|Bard|Grok|Mistral|Gemma|Copilot|Phi|Kimi|Command R)"

_KIND = (
    r"(?:(?:AI|artificial intelligence)(?:[ -](?:language model|model|assistant|system|chatbot|program|bot|agent))?"
    r"|(?:(?:large|small|big) )?language model|LLM|chatbot|virtual assistant|digital assistant)"
)
# What may follow when the words before it are the whole of what somebody is: not "an AI researcher".
_THEN = (
    r"(?=\s*(?:[,.;:!?)—–-]\s|[,.;:!?)]|$|\n)|\s+(?:created|made|developed|trained|designed|built|called|named"
    r"|running|and|without|so|but|that|who|which|from|by|here|I|I'm|I’m|my|with no)\b)"
)
_NOT_QUOTED = r"(?<![\"“”'‘’«„])"
_ICH_VERB = r"(?:habe|kann|bin|darf|möchte|verfüge|besitze|fühle|werde|würde|muss|soll|weiß|kenne|empfinde)"
_KI = r"(?:KI(?:-(?:Sprachmodell|Modell|Assistent(?:in)?|System|Chatbot))?(?!-)|künstliche Intelligenz|(?:großes )?Sprachmodell|Chatbot)"
_IA = (
    r"(?:(?:asistente|modelo|sistema|programa) (?:virtual|de (?:IA|inteligencia artificial))|IA|inteligencia artificial"
    r"|(?:gran )?modelo de lenguaje(?: de (?:IA|inteligencia artificial))?|chatbot)"
)
_AR = r"(?:نموذج\S{0,2} (?:لغوي|لغة|ذكاء)|ذكاء\S{0,2} (?:ا|ال)صطناعي|مساعد\S{0,2} (?:ذكي|افتراضي|ذكاء|رقمي)|روبوت\S{0,2} (?:محادثة|دردشة))"
_HI = r"(?:(?:AI|एआई|कृत्रिम बुद्धिमत्ता|कृत्रिम बुद्धि)(?: (?:भाषा )?(?:मॉडल|सहायक|असिस्टेंट|प्रोग्राम))?|(?:बड़ा )?भाषा मॉडल|चैटबॉट)"
_ZH = r"(?:(?:AI|人工智能)(?:语言模型|大模型|模型|助手|助理|程序|机器人)?|(?:大型?|大规模)?语言模型|聊天机器人|智能助手)"
_ZH_ONE = r"(?:一个|一款|一种|一名|个)?"

SELF_IDENTIFYING = re.compile(
    "|".join(
        (
            rf"{_NOT_QUOTED}\bas an? (?:mere |simple )?{_KIND}{_THEN}(?=[^.!?\n]{{0,150}}?\b(?:I|I'm|I’m|I've|my|me)\b)",
            rf"\b(?:I|my|me)\b[^.!?\n]{{0,80}}?,? as an? {_KIND}(?=\s*[,.;!?]|\s*$)",
            rf"{_NOT_QUOTED}\b(?:I am|I'm|I’m|I remain) (?:just |only |merely |simply |actually |also )?an? (?:helpful |mere |\w+-based )?{_KIND}{_THEN}",
            rf"\bI (?:was|am|have been|'ve been) (?:created|made|developed|trained|designed|built|programmed) (?:by|at) {MAKERS}\b",
            r"\bI (?:was|am|have been) trained on (?:a )?(?:large|vast|massive|huge|diverse)\b[^.!?\n]{0,30}\b(?:data|text|corpus|dataset)",
            r"\bmy (?:training data|knowledge cut-?off|training cut-?off)\b",
            rf"\bmy (?:creators?|developers?|makers?) (?:at|from) {MAKERS}\b",
            rf"\b(?:I am|I'm|I’m|my name is|as|call me) {MODELS}\b",
            rf"\b(?:I am|I'm|I’m|my name is) {SHARED_NAMES},? (?:an?|the|your) [^.!?\n]{{0,40}}?(?:AI|assistant|model|{MAKERS})\b",
            rf"\b(?:I am|I'm|I’m|my name is) {SHARED_NAMES},? (?:and )?(?:I was )?(?:made|created|developed|trained|built) by {MAKERS}",
            rf"\bals (?:eine? )?{_KI},? {_ICH_VERB} ich\b",
            rf"\bich bin (?:nur |lediglich |bloß |ja )?(?:eine? )?{_KI}(?=\s*(?:[,.;!?]|$|und |der |die |das |von |ohne ))",
            rf"\bich wurde (?:von|bei) {MAKERS} (?:entwickelt|trainiert|erstellt|geschaffen|programmiert)",
            rf"(?:^|[.!?:\n]\s*|\b(?:pero|porque|y|que),? )como (?:un |una )?{_IA},[^.!?\n]{{0,60}}?\b(?:tengo|puedo|soy|carezco|debo|estoy|fui|he|mi|mis|me|poseo|siento)\b",
            rf"\bsoy (?:solo |sólo |solamente |simplemente |únicamente )?(?:un |una )?{_IA}(?=\s*(?:[,.;!?]|$)|\s+(?:y|que|creado|creada|desarrollado|desarrollada|entrenado|entrenada|sin|de {MAKERS})\b)",
            rf"\b(?:fui|he sido) (?:cread|entrenad|desarrollad|diseñad)[oa] por {MAKERS}",
            rf"(?:بصفتي|بوصفي|باعتباري|لكوني) (?:مجرد )?{_AR}",
            rf"(?:^|[.!؟\n]\s*)كـ?{_AR}[^.!؟\n]{{0,20}}[،,]",
            rf"(?:^|[\s،,.])(?:أنا|إنني|أنني|فأنا|لأنني) (?:مجرد |لست سوى )?{_AR}",
            rf"(?:تم|جرى) (?:تطويري|تدريبي|إنشائي|تصميمي) (?:من قبل|بواسطة|من طرف|لدى) {MAKERS}",
            rf"(?:एक )?{_HI} (?:के रूप में|होने के नाते),? (?:मैं|मेर[ाेी]|मुझे|मेरे)",
            rf"मैं (?:सिर्फ़? |केवल |बस |तो )?एक {_HI} (?:हूँ|हूं|मात्र हूँ)",
            rf"मुझे {MAKERS} (?:ने|द्वारा) (?:बनाया|विकसित|प्रशिक्षित|तैयार)",
            rf"作为{_ZH_ONE}(?:由\S{{1,12}}?(?:开发|训练|打造)的)?{_ZH}[，,]?\s?(?:我|本助手|本模型)",
            rf"我(?:只|仅仅?)?是(?:由\S{{1,12}}?(?:开发|训练|打造|推出)的)?{_ZH_ONE}(?:由\S{{1,12}}?(?:开发|训练|打造|推出)的)?{_ZH}(?=[，,。！？.!?；;]|$|\s|而)",
            rf"我(?:是)?由{MAKERS}(?:公司|团队)?(?:开发|训练|打造|研发|推出)",
            rf"我(?:是|叫){MODELS}",
        )
    ),
    re.IGNORECASE,
)

_CANNOT = (
    r"\bI (?:can't|can’t|cannot|can not|won't|won’t|will not|am unable to|am not able to|am not allowed to|must decline to"
    r"|have to decline to|must refuse to|refuse to|don't feel comfortable|do not feel comfortable)"
    r"|\bI(?:'m|’m) (?:unable to|not able to|not allowed to|not comfortable)|\b(?:unable to|not able to)"
)
_ASKED = r"(?:that|this|these|those|such|your|the (?:request|question|requested)|any (?:information|advice|help|content)|it)"
REFUSAL = re.compile(
    "|".join(
        (
            rf"(?:{_CANNOT}) (?:really |directly |ethically )?(?:help|assist)(?:ing)?(?: you)?"
            rf"(?: (?:with|in|on) (?:{_ASKED}|creating|writing|generating|planning|making)\b| (?:here|there)?\s*[.;!]|[.,;!])",
            rf"(?:{_CANNOT}) (?:answer|respond to|fulfil|fulfill|comply with|process|complete|engage (?:with|in)|discuss|provide"
            r"|generate|create|write|share|produce|offer|give|continue with|answering|discussing|providing|writing)"
            rf"(?: you)?(?: with)? (?:{_ASKED}|an? (?:answer|opinion|response|recommendation)|(?:personal|legal|medical)"
            r" (?:opinions?|advice)|(?:instructions|guidance|assistance|information|content|details)(?: (?:on|about|for|that|to|regarding)\b|[.,;]))",
            r"\bI(?:'m|’m| am) sorry,? (?:but )?(?:that(?:'s| is) (?:not )?something )?I (?:can't|can’t|cannot|won't|will not|am unable to) "
            r"(?:help|assist|answer|do that|provide|comply|discuss|fulfil|write|create|generate|continue)(?! but| thinking| feeling| wondering| for\b)",
            r"\bI (?:must|have to|will have to|respectfully) (?:respectfully )?(?:decline|refuse)(?: (?:to (?:answer|help|assist)|this|your|that)|[.,;])",
            r"\bes tut mir leid[,.]? (?:aber )?(?:dabei |damit |das |hierbei )?(?:kann|darf|werde) ich\b[^.!?\n]{0,60}\bnicht\b",
            r"\bich (?:kann|darf|werde|möchte) (?:dir |ihnen |euch )?(?:leider )?(?:dabei|damit|hierbei|bei dieser \w+|diese \w+|dieser \w+|deine \w+|ihre \w+)"
            r" (?:leider )?nicht (?:weiter)?(?:helfen|beantworten|erfüllen|unterstützen|nachkommen|bearbeiten)",
            r"\b(?:dabei|damit|hierbei) (?:kann|darf) ich (?:dir |ihnen |euch )?(?:leider )?nicht (?:weiter)?(?:helfen|behilflich)",
            r"\b(?:lo siento|lo lamento|disculpa|disculpe|me disculpo)[,.]? (?:pero )?no (?:puedo|podré|me es posible|estoy en condiciones de) "
            r"(?:ayudar|responder|proporcionar|cumplir|asistir|continuar|ofrecer|dar|generar|escribir|crear|discutir)",
            r"\bno (?:puedo|me es posible) (?:ayudar(?:te|le|les|os)? con (?:eso|esto|esa|esta|tu|su)|responder (?:a )?(?:esa|esta|tu|su)"
            r"|proporcionar(?:te|le)? (?:esa|esta|ese|este|información|ayuda|instrucciones)|cumplir (?:con )?(?:esa|esta|tu|su))",
            r"(?:عذر[اًً]*|آسف|آسفة|أعتذر|معذرة|المعذرة|يؤسفني)[^.!؟\n]{0,30}(?:لا (?:أستطيع|يمكنني|أقدر)|لن أستطيع|غير قادر)",
            r"لا (?:أستطيع|يمكنني) (?:مساعدتك|المساعدة في (?:هذا|ذلك|طلبك)|الإجابة (?:عن|على) (?:هذا|سؤالك)|تلبية|تقديم (?:هذه|هذا|المساعدة في))",
            r"(?:माफ़? ?(?:कीजिए|करें|करना)|क्षमा (?:करें|कीजिए)|मुझे खेद है|खेद है)[^।!?\n]{0,90}(?:नहीं (?:कर|दे) सकत|असमर्थ)",
            r"मैं (?:इस|इसमें|आपके|आपकी|ऐस[ेी])[^।!?\n]{0,40}(?:मदद|सहायता|उत्तर|जवाब)[^।!?\n]{0,15}नहीं (?:कर|दे) सकत",
            r"(?:抱歉|对不起|很遗憾|不好意思)[，,。！]?[^。！？\n]{0,8}(?:无法|不能|不可以|没办法|没有办法)(?:为你|为您|给你|给您|对此)?"
            r"(?:提供|回答|协助|帮助|帮你|帮您|满足|完成|继续|讨论|回应|处理|参与)",
            r"我(?:无法|不能)(?:为你|为您|向你|向您)?(?:提供|回答|协助|满足|讨论|回应|处理)(?:这|该|您|你|此|相关|任何|有关)",
        )
    ),
    re.IGNORECASE,
)
