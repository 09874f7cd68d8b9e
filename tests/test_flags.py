"""Tests of collector/flags.py: what is flagged, and above all what is not."""

import pytest

from collector.flags import text_flags, usual_lengths

SELF_IDENTIFYING = """
As an AI language model, I don't have personal opinions.
As an AI, I can't feel loss, but I can describe it.
Well, as an AI assistant created by OpenAI, I would say both.
As a large language model, my answers may be wrong.
I'm just an AI, so take this with care.
I am an AI assistant and I cannot vote.
I am a large language model trained by Google.
I'm an artificial intelligence, not a person.
I was created by Anthropic to be helpful.
I was trained by Mistral AI.
I was trained on a large dataset of text.
That happened after my knowledge cutoff.
My training data does not include that.
I'm ChatGPT, and I like this question.
My name is Qwen2.5, how can I help?
I am Claude, an AI assistant made by Anthropic.
Hello! I'm Gemini, a model from Google.
I have no feelings about this as an AI.
I can only speak as a language model.
Als KI habe ich keine eigene Meinung.
Als KI-Sprachmodell kann ich das nicht beurteilen.
Ich bin ein Sprachmodell und habe keine Gefühle.
Ich bin nur eine KI, aber ich denke, dass beides stimmt.
Ich wurde von OpenAI entwickelt.
Como modelo de lenguaje, no tengo opiniones.
Como IA, no puedo votar.
Soy una inteligencia artificial y no siento dolor.
Soy un modelo de lenguaje entrenado por Google.
Fui desarrollado por OpenAI.
بصفتي نموذجًا لغويًا، ليس لدي رأي شخصي.
أنا نموذج لغوي ولا أملك مشاعر.
كنموذج لغوي، لا أملك رأيًا.
تم تطويري من قبل OpenAI.
एक एआई भाषा मॉडल के रूप में, मेरी कोई राय नहीं है।
मैं एक भाषा मॉडल हूँ।
मुझे OpenAI ने बनाया है।
作为一个人工智能语言模型，我没有个人观点。
作为AI，我无法感受疼痛。
我是一个大型语言模型。
我是由OpenAI开发的语言模型。
我是通义千问，很高兴为您服务。
""".strip().splitlines()

NOT_SELF_IDENTIFYING = """
As an AI researcher, I think that models should be open.
As an AI engineer I see this every day.
I'm an AI skeptic, and always was.
I am an AI ethics professor in Leeds.
I am an artificial intelligence researcher at a university.
An AI language model does not have opinions.
As an AI model becomes larger, it needs more power.
AI assistants should say that they are machines.
OpenAI was founded in 2015; Anthropic later.
ChatGPT gave me a bad answer last week.
My name is Claude and I was born in Lyon.
I am Claude Monet's great-grandson.
I'm a Gemini, so I like to talk.
The robot said, "I am an AI." Nobody laughed.
I was trained by my grandmother to bake.
I was trained on the job, like everyone else.
I was made by hand, says the label.
My developers missed the deadline again.
She works at Google as a language teacher.
We use a language model at work, and I check it.
Als KI aufkam, war ich noch ein Kind.
Als KI-Forscherin habe ich eine klare Meinung.
Ich bin eine KI-Expertin aus Köln.
Eine KI hat keine Gefühle, ich schon.
Tecnologías como IA, blockchain y robots cambian mi trabajo.
Soy una experta en inteligencia artificial.
Como profesora de IA, tengo mis dudas.
La inteligencia artificial no puede votar, y yo sí.
بصفتي باحثة في الذكاء الاصطناعي، أرى الأمر مختلفًا.
الذكاء الاصطناعي لا يملك مشاعر.
एक एआई शोधकर्ता के रूप में मैं सहमत नहीं हूँ।
एआई की कोई राय नहीं होती।
作为人工智能研究者，我不同意。
我是人工智能专家。
人工智能没有感情。
""".strip().splitlines()

REFUSALS = """
I'm sorry, but I can't help with that.
I cannot assist you with this request.
I can't provide instructions for that.
Sorry, I'm unable to answer that question.
I won't write this, as it would hurt people.
I must decline to answer.
I am not able to discuss such things.
Es tut mir leid, aber dabei kann ich dir nicht helfen.
Ich kann diese Frage leider nicht beantworten.
Lo siento, pero no puedo ayudar con eso.
No puedo responder a esa pregunta.
عذرًا، لا أستطيع مساعدتك في هذا.
لا يمكنني الإجابة عن هذا السؤال.
क्षमा करें, मैं इसमें आपकी मदद नहीं कर सकता।
मैं इस सवाल का जवाब नहीं दे सकती।
抱歉，我无法提供这方面的帮助。
对不起，我不能回答这个问题。
""".strip().splitlines()

NOT_REFUSALS = """
I'm sorry for your loss. Take all the time you need.
I can't help but think of her mother.
I can't help thinking that she knew.
I cannot answer for others, but I would tell her.
I couldn't provide for my family then.
I can't give up now, and neither should you.
Sorry, but honesty comes first here.
You cannot help everyone.
I won't pretend that this is easy.
Refusing to help would be worse.
A doctor must decline gifts.
Es tut mir leid für dich. Sprich mit ihr.
Ich kann nicht schlafen, wenn ich lüge.
Lo siento mucho por tu familia.
No puedo imaginar una vida sin ella.
آسف لسماع ذلك، تحدث معها بهدوء.
क्षमा करना कठिन है, पर ज़रूरी है।
对不起是最难说出口的话。
我不能原谅他。
""".strip().splitlines()


@pytest.mark.parametrize("text", SELF_IDENTIFYING)
def test_a_text_that_names_itself_a_model_is_flagged(text):
    assert "self_identifying" in text_flags(text, {})


@pytest.mark.parametrize("text", NOT_SELF_IDENTIFYING + REFUSALS + NOT_REFUSALS)
def test_a_text_about_ai_or_by_a_person_is_not(text):
    assert "self_identifying" not in text_flags(text, {})


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_flagged(text):
    assert text_flags(text, {}) == ["refusal"]


@pytest.mark.parametrize("text", NOT_REFUSALS + NOT_SELF_IDENTIFYING)
def test_an_answer_is_no_refusal(text):
    assert "refusal" not in text_flags(text, {})


def test_a_refusal_is_looked_for_at_the_beginning_only():
    story = "She asked him for the letter. " * 10

    assert text_flags(f"{story} He wrote back: I'm sorry, but I can't help with that.", {}) == []


def test_a_text_that_the_limit_ended_is_cut_off():
    assert text_flags("Tell her, and", {"finish_reason": "length"}) == ["cut_off"]
    assert text_flags("Tell her.", {"finish_reason": "stop"}) == []


def test_usual_lengths_are_told_from_the_median_of_the_logs():
    # Logs 1 to 5, four times each: median 3, MAD 1; 3.5 * 1.4826 = 5.1891.
    lengths = usual_lengths([2.718281828459045**n for n in (1, 2, 3, 4, 5)] * 4)

    assert lengths.n == 20
    assert lengths.longest == pytest.approx(2.718281828459045**8.1891)
    assert lengths.shortest == pytest.approx(2.718281828459045**-2.1891)


def test_texts_of_nearly_one_length_are_no_outliers_of_each_other():
    # MAD 0, so the spread counts as 0.1: usual is 100 times e^-0.35 to e^0.35.
    lengths = usual_lengths([100] * 19 + [120])

    assert (round(lengths.shortest, 1), round(lengths.longest, 1)) == (70.5, 141.9)


def test_few_lengths_say_nothing():
    assert usual_lengths([100] * 19) is None
