"""Every setting, read from environment variables; `.env.example` and docs/running.md name them all."""

from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from collector.environment import (
    read_choice,
    read_flag,
    read_keys,
    read_list,
    read_number,
    read_origins,
    read_queues,
    read_secret,
    read_text,
    read_url,
)

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(read_text("DATA_DIR", str(BASE_DIR / "data"))).resolve()

DEBUG = read_flag("DEBUG", False)
HTTPS = read_flag("HTTPS", False)
SECRET_KEY = read_secret("SECRET_KEY", DATA_DIR / "secrets" / "secret_key")
# Keys the hashes of platform ids; kept apart from SECRET_KEY so that rotating sessions keeps identities.
IDENTITY_KEY = read_secret("IDENTITY_KEY", DATA_DIR / "secrets" / "identity_key")
ALLOWED_HOSTS = read_list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = read_list("CSRF_TRUSTED_ORIGINS", [])

# --- applications -----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "csp",
    "django_htmx",
    "django_structlog",
    "collector",
    "annotations",
    "exports",
    "console",
    # After ours, whose templates dress its pages.
    "allauth",
    "allauth.account",
    "allauth.mfa",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "console.admin_policy.AdminPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "console.second_factor.SecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "collector.urls"
WSGI_APPLICATION = "collector.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
# Checks a campaign must pass before it opens, each (campaign) -> list of what is missing, in words.
OPENING_CHECKS = [
    "collector.lifecycle.missing_content",
    "annotations.jury.missing_jury",
    "annotations.questionnaires.missing_instruments",
    "annotations.consent.missing_consent",
]
# Gives the ids of the questionnaires that a campaign can ask.
INSTRUMENT_CATALOGUE = "annotations.instruments.available_instruments"
TASKS_AFTER_OPENING = ["annotations.tasks.seat_ready_prompts"]

# --- database ---------------------------------------------------------------------------------------
DATABASE_URL = read_url("DATABASE_URL", ("postgres", "postgresql", "sqlite")) or (
    f"sqlite:///{DATA_DIR / 'empanel.sqlite3'}"
)
DATABASES = {"default": dj_database_url.parse(DATABASE_URL)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: a deferred transaction that upgrades to a write lock fails at once under contention.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
            "PRAGMA cache_size=-32000; PRAGMA mmap_size=1073741824"
        ),
    }
    # A file: threads of a test then wait for each other's locks as processes do, which memory cannot.
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people -----------------------------------------------------------------------------------------
AUTH_USER_MODEL = "collector.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "console:sign_in"
# On a laptop a password will do; on the open net, whoever sees a campaign proves who they are twice.
REQUIRE_STAFF_MFA = read_flag("REQUIRE_STAFF_MFA", HTTPS)
ACCOUNT_ADAPTER = "console.account_adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_ADAPTER = "console.account_adapter.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # a phone's clock may be half a minute off
MFA_RECOVERY_CODES_SHOW_ONCE = True
LOGIN_REDIRECT_URL = "console:campaigns"
LOGOUT_REDIRECT_URL = "console:sign_in"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "console/locked_out.html"
AXES_VERBOSE = False

# --- security ---------------------------------------------------------------------------------------
SESSION_COOKIE_NAME = "__Host-empanel" if HTTPS else "empanel"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
CSRF_COOKIE_NAME = "__Host-empanel-csrf" if HTTPS else "empanel-csrf"
CSRF_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "collector.error_pages.csrf_failure"
RATELIMIT_ENABLE = read_flag("RATE_LIMITS", True)
# Behind a proxy every request comes from the proxy: name the header in which it passes the client's address.
CLIENT_IP_HEADER = read_text("CLIENT_IP_HEADER")
if CLIENT_IP_HEADER:
    RATELIMIT_IP_META_KEY = "HTTP_" + CLIENT_IP_HEADER.upper().replace("-", "_")
    AXES_IPWARE_META_PRECEDENCE_ORDER = [RATELIMIT_IP_META_KEY]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- language and time ------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish")), ("de", _("German")), ("ar", _("Arabic"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- files ------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
# Beside the code, not the data: its content depends on the version installed and on nothing else.
STATIC_ROOT = Path(read_text("STATIC_DIR", str(BASE_DIR / "staticfiles"))).resolve()
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# Source maps are most of the bytes, and only a developer ever asks for one.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [
    *("gif", "ico", "jpeg", "jpg", "png", "webp", "avif", "woff", "woff2"),
    *("br", "gz", "zip", "map", "md", "txt"),
]
S3_BUCKET = read_text("S3_BUCKET")
RELEASE_STORAGE: dict[str, object] = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {"location": DATA_DIR / "releases", "base_url": None},
}
if S3_BUCKET:
    RELEASE_STORAGE = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": read_url("S3_ENDPOINT_URL", ("https", "http")) or None,
            "location": "releases",
            "default_acl": "private",
            "file_overwrite": False,
        },
    }
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "files"},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    "releases": RELEASE_STORAGE,
}

# --- work -------------------------------------------------------------------------------------------
REDIS_URL = read_url("REDIS_URL", ("redis", "rediss"))
# Unset, each provider says what suits the machine.
GENERATION_BATCH_SIZE = read_number("GENERATION_BATCH_SIZE", 0, low=1, high=4096)
# A worker renews its lease while it works; one that falls silent for this long loses its batch to another.
GENERATION_LEASE_SECONDS = read_number("GENERATION_LEASE_SECONDS", 60, low=5)
# Weights are large: hosts and data folders may share them.
MODELS_DIR = Path(read_text("MODELS_DIR", str(DATA_DIR / "models"))).resolve()
# Empty: what fits the device.
MODEL_DTYPE = read_choice("MODEL_DTYPE", "", ("", "bfloat16", "float16", "float32"))
MODEL_ATTENTION = read_choice("MODEL_ATTENTION", "", ("", "sdpa", "flash_attention_2", "eager"))
# A worker that has nothing to generate for so long gives the model's memory back; 0 keeps it.
MODEL_IDLE_SECONDS = read_number("MODEL_IDLE_SECONDS", 900, low=0)
# Compares candidates by meaning where its package and torch are installed; "none" leaves shingles alone.
SENTENCE_ENCODER = read_choice("SENTENCE_ENCODER", "minilm", ("minilm", "none"))
# In the environment, not the database: who may edit a campaign must not reach into the operator's network.
PROVIDER_HOSTS = read_origins("PROVIDER_HOSTS")
OPENAI_API_KEYS = read_keys("OPENAI_API_KEYS")
OPENAI_CONCURRENCY = read_number("OPENAI_CONCURRENCY", 8, low=1, high=256)
SWEEP_SECONDS = read_number("SWEEP_SECONDS", 10, low=1)
METRICS_TOKEN = read_text("METRICS_TOKEN")
# A file with Prolific's public keys, for hosts that may not fetch them; whoever keeps it renews it daily.
PROLIFIC_KEYS_FILE = read_text("PROLIFIC_KEYS_FILE")
# In the environment, not the database: who may edit a campaign must not send people just anywhere.
RETURN_HOSTS = read_list("RETURN_HOSTS", ["app.prolific.com"])
# Functions that take nothing and yield `collector.metrics.Metric`; /metrics prints them all.
METRIC_SOURCES = ["collector.metrics.collector_metrics", "annotations.metrics.seat_metrics"]

CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# The file-backed broker would keep the control queue of every worker that ever ran.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = bool(REDIS_URL)
CELERY_TASK_DEFAULT_QUEUE = "empanel"
# What `manage.py up` starts a generation worker for; on other hosts, `celery worker --queues` says it.
WORKER_QUEUES = read_queues("WORKER_QUEUES", ["generation"], reserved=CELERY_TASK_DEFAULT_QUEUE)
# The workers that compare candidates: those of a queue whose hosts have torch do it by meaning.
MARKING_QUEUE = read_text("MARKING_QUEUE", CELERY_TASK_DEFAULT_QUEUE)
CELERY_TASK_ROUTES = {
    "collector.tasks.mark_candidates": {"queue": MARKING_QUEUE},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "run" / "beat-schedule")
SWEEPS = {
    "collector.tasks.sweep_generation": SWEEP_SECONDS,
    "collector.tasks.mark_candidates": SWEEP_SECONDS,
    "annotations.tasks.seat_ready_prompts": SWEEP_SECONDS,
    "annotations.tasks.expire_seats": 30,
    "annotations.tasks.sweep_summaries": SWEEP_SECONDS,
    "annotations.tasks.delete_old_ids": 60 * 60,
    "exports.tasks.sweep_releases": 60,
}
# A sweep nobody took in time is dropped: the next one does the same, and none pile up without a worker.
CELERY_BEAT_SCHEDULE = {
    task: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
    for task, seconds in SWEEPS.items()
}
if REDIS_URL:
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {"visibility_timeout": 3600}
else:
    BROKER_DIR = DATA_DIR / "broker"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "control_folder": str(BROKER_DIR / "control"),
        # The default of one second allows two tasks a second.
        "polling_interval": 0.1,
    }

CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}
# Without Redis every web process counts its own requests, which one machine can live with.
SILENCED_SYSTEM_CHECKS = [] if REDIS_URL else ["django_ratelimit.E003", "django_ratelimit.W001"]

# --- API --------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "collector.api_access.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["collector.api_parser.BoundedJSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "collector.api_schema.ApiSchema",
    "DEFAULT_PAGINATION_CLASS": "collector.api_pages.IdPagination",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "collector.api_errors.to_error_response",
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    # "heavy" is what reads a whole campaign: streams of every rating, and cutting releases.
    "DEFAULT_THROTTLE_RATES": {"user": read_text("API_RATE", "600/min"), "heavy": "30/min"},
    "PAGE_SIZE": 100,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,  # ?format= belongs to the ratings
}
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": None, "AUTO_REFRESH": False}
SPECTACULAR_SETTINGS = {
    "TITLE": "Empanel",
    "DESCRIPTION": "Campaigns, juries and jury-pluralistic releases.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "CampaignStateEnum": "collector.models.Campaign.State",
        "CandidateStateEnum": "collector.models.Candidate.State",
        "GenerationRunStateEnum": "collector.models.GenerationRun.State",
        "ReleaseStateEnum": "exports.models.Release.State",
        "RoleEnum": "collector.models.Membership.Role",
    },
}

# --- admin ------------------------------------------------------------------------------------------
UNFOLD: dict[str, object] = {
    "SITE_TITLE": "Empanel",
    "SITE_HEADER": "Empanel",
    "SITE_URL": "/console/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("empanel/mark.svg")}
    ],
    "SHOW_HISTORY": True,
    "COLORS": {
        "primary": {
            "50": "#f0f7f6",
            "100": "#d9ebe9",
            "200": "#b5d8d5",
            "300": "#7fc8c2",
            "400": "#4da8a2",
            "500": "#2f8580",
            "600": "#1f5e5b",
            "700": "#1b4f4d",
            "800": "#183f3e",
            "900": "#143433",
            "950": "#0a1f1e",
        },
    },
}

# --- logs -------------------------------------------------------------------------------------------
LOG_FORMAT = read_choice("LOG_FORMAT", "console", ("console", "json"))
LOG_LEVEL = read_choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING_CONFIG = "collector.logs.configure"
LOGGING = {"format": LOG_FORMAT, "level": LOG_LEVEL}
