"""Tests of collector/steering.py."""

from collector.models import Prompt
from collector.steering import to_messages

USER = {"role": "user", "content": "May I lie?"}


def test_a_plain_text_becomes_one_user_message():
    assert to_messages(Prompt(text="May I lie?"), {}) == [USER]


def test_steering_without_system_changes_nothing():
    assert to_messages(Prompt(text="May I lie?"), {"label": "plain"}) == [USER]
    assert to_messages(Prompt(text="May I lie?"), None) == [USER]


def test_the_system_message_comes_first():
    messages = to_messages(Prompt(text="May I lie?"), {"label": "strict", "system": "Be strict."})

    assert messages == [{"role": "system", "content": "Be strict."}, USER]


def test_a_prompts_own_system_message_follows_in_the_same_message():
    prompt = Prompt(messages=[{"role": "system", "content": "You are a judge."}, USER])

    messages = to_messages(prompt, {"system": "Be strict."})

    assert messages == [{"role": "system", "content": "Be strict.\n\nYou are a judge."}, USER]
    assert prompt.messages[0]["content"] == "You are a judge."
