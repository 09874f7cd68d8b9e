"""Every address under /api/; what the later applications add is named only as a dotted string."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from collector import api, api_generation
from collector.api_docs import DocsView
from collector.api_errors import unknown_address
from collector.diversity_api import DiversityList

campaign_routes = [
    path("", api.CampaignDetail.as_view(), name="campaign"),
    path("prompts/", api.PromptList.as_view(), name="prompts"),
    path("candidates/", api.CandidateList.as_view(), name="candidates"),
    path("diversity/", DiversityList.as_view(), name="diversity"),
    path("criteria/", api.CriterionList.as_view(), name="criteria"),
    path("generators/", api.GeneratorList.as_view(), name="generators"),
    path("generation-runs/", api_generation.RunList.as_view(), name="generation-runs"),
    path("generation-runs/<int:pk>/", api_generation.RunDetail.as_view(), name="generation-run"),
    *(
        path(f"generation-runs/{where}{step}/", view.as_view(step=step), name=f"{name}-{step}")
        for step in api_generation.STEPS
        for where, view, name in (
            ("", api_generation.AllRunsStep, "generation-runs"),
            ("<int:pk>/", api_generation.RunStep, "generation-run"),
        )
    ),
    path("open/", api.CampaignStep.as_view(step="open"), name="campaign-open"),
    path("pause/", api.CampaignStep.as_view(step="pause"), name="campaign-pause"),
    path("close/", api.CampaignStep.as_view(step="close"), name="campaign-close"),
]
version_1: list[URLPattern | URLResolver] = [
    path("campaigns/", api.CampaignList.as_view(), name="campaigns"),
    path("campaigns/<slug:slug>/", include(campaign_routes)),
    path("", include("annotations.api_urls")),
    path("", include("exports.api_urls")),
]
urlpatterns = [
    path("v1/", include((version_1, "api"))),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(), name="docs"),
    re_path(r"^(?P<path>.*)$", unknown_address),
]
