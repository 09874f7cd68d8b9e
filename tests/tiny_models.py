"""Small models with random weights, in all the shapes in which local models come."""

from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

TEMPLATE = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}\n{% endfor %}<assistant>"
LETTERS = 260


def tiny_config(**fields):
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    ends = {"vocab_size": LETTERS, "eos_token_id": 256, "pad_token_id": 257, "bos_token_id": None}
    return LlamaConfig(
        **sizes,
        **ends,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        **fields,
    )


def tiny_tokenizer(template=TEMPLATE):
    """One token a byte."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: n for n, letter in enumerate(letters)} | {"</s>": 256, "<pad>": 257}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", pad_token="<pad>")
    fast.chat_template = template
    return fast


def tiny_model(config=None, *, seed=0):
    import torch

    torch.manual_seed(seed)
    return AutoModelForCausalLM.from_config(config or tiny_config()).eval()


def save_tiny_model(folder, *, template=TEMPLATE, seed=0, config=None):
    model = tiny_model(config, seed=seed)
    model.save_pretrained(folder)
    tiny_tokenizer(template).save_pretrained(folder)
    return folder


def save_adapter(base, folder, *, safe=True, seed=1):
    """A LoRA adapter whose random changes are large enough to change every answer."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base)
    config = LoraConfig(r=4, lora_alpha=64, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    get_peft_model(model, config).save_pretrained(str(folder), safe_serialization=safe)
    return folder
