"""Prolific's side of a signed link: a real RSA key, its published form, and tokens."""

import json
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

STUDY, WORKSPACE, PERSON = "60aa11bb22cc33dd44ee55ff", "61aa11bb22cc33dd44ee55ff", "5f2b8c1e9d4a7b3c6e0f1a2d"
RULES = {"prolific_study": STUDY, "prolific_workspace": WORKSPACE, "allow_unverified": False}


class Platform:
    """Signs as Prolific does; `kid` is the id under which the key is published."""

    def __init__(self, kid: str = "key-1") -> None:
        self.kid = kid
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def published(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [public | {"kid": self.kid, "alg": "RS256", "use": "sig"}]}

    def publish(self, file: Path) -> str:
        file.write_text(json.dumps(self.published()))
        return str(file)

    def token(self, *, ids: dict[str, Any] | None = None, headers: dict | None = None, **claims: Any) -> str:
        given = {"PROLIFIC_PID": PERSON, "STUDY_ID": STUDY, "SESSION_ID": "s-1", "workspace_id": WORKSPACE}
        payload = {
            "iss": "https://www.prolific.com",
            "aud": "https://testserver/join/somewhere/",
            "exp": int(time.time()) + 600,
            "prolific": given | (ids or {}),
        }
        headers = {"kid": self.kid} | (headers or {})
        kept = {name: value for name, value in (payload | claims).items() if value is not None}
        return jwt.encode(kept, self.key, algorithm="RS256", headers=headers)
