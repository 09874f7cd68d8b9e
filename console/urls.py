"""Addresses of the console: the front page, signing in, tokens, and every page of a campaign."""

from django.urls import path

from console import (
    accounts_pages,
    campaign_pages,
    candidate_pages,
    generator_pages,
    instrument_pages,
    jury_pages,
    practice_pages,
    recruitment_pages,
    release_pages,
    setup_pages,
    text_review_pages,
)

app_name = "console"
urlpatterns = [
    path("", accounts_pages.home, name="home"),
    path("console/", campaign_pages.campaign_list, name="campaigns"),
    path("console/sign-in/", accounts_pages.SignIn.as_view(), name="sign_in"),
    path("console/sign-out/", accounts_pages.SignOut.as_view(), name="sign_out"),
    path("console/tokens/", accounts_pages.tokens, name="tokens"),
    path("console/new/", setup_pages.campaign_new, name="campaign_new"),
    path("console/c/<slug:slug>/", campaign_pages.campaign_page, name="campaign"),
    path("console/c/<slug:slug>/progress/", campaign_pages.campaign_progress, name="campaign_progress"),
    path("console/c/<slug:slug>/state/", campaign_pages.campaign_state, name="campaign_state"),
    path("console/c/<slug:slug>/generate/", campaign_pages.generate, name="generate"),
    path("console/c/<slug:slug>/generation/", campaign_pages.generation_step, name="generation_step"),
    path("console/c/<slug:slug>/simulate/", campaign_pages.simulate, name="simulate"),
    path("console/c/<slug:slug>/join-link/", setup_pages.join_link, name="join_link"),
    path("console/c/<slug:slug>/recruitment/", recruitment_pages.recruitment, name="recruitment"),
    path("console/c/<slug:slug>/recruitment/pay/", recruitment_pages.pay, name="recruitment_pay"),
    path("console/c/<slug:slug>/recruitment/secret/", recruitment_pages.renew_secret, name="renew_secret"),
    path(
        "console/c/<slug:slug>/recruitment/codes/", recruitment_pages.new_invitations, name="new_invitations"
    ),
    path(
        "console/c/<slug:slug>/recruitment/codes/upload/",
        recruitment_pages.upload_invitations,
        name="upload_invitations",
    ),
    path(
        "console/c/<slug:slug>/recruitment/payments/", recruitment_pages.payments_file, name="payments_file"
    ),
    path("console/c/<slug:slug>/recruitment/paid/", recruitment_pages.payments_paid, name="payments_paid"),
    path("console/c/<slug:slug>/settings/", setup_pages.campaign_edit, name="campaign_edit"),
    path("console/c/<slug:slug>/jury/", jury_pages.jury, name="jury"),
    path("console/c/<slug:slug>/jury/forecast/", jury_pages.jury_forecast, name="jury_forecast"),
    path("console/c/<slug:slug>/jury/panel/", jury_pages.draw_panel, name="draw_panel"),
    path("console/c/<slug:slug>/prompts/", setup_pages.prompts, name="prompts"),
    path("console/c/<slug:slug>/prompts/upload/", setup_pages.prompts_upload, name="prompts_upload"),
    path("console/c/<slug:slug>/candidates/", candidate_pages.candidates, name="candidates"),
    path("console/c/<slug:slug>/candidates/people/", candidate_pages.people, name="candidates_people"),
    path(
        "console/c/<slug:slug>/candidates/<int:prompt>/",
        candidate_pages.prompt_candidates,
        name="prompt_candidates",
    ),
    path("console/c/<slug:slug>/criteria/", setup_pages.criteria, name="criteria"),
    path("console/c/<slug:slug>/generators/", generator_pages.generators, name="generators"),
    path("console/c/<slug:slug>/generators/<slug:name>/", generator_pages.generator, name="generator"),
    path("console/c/<slug:slug>/questionnaires/", instrument_pages.instruments, name="instruments"),
    path("console/c/<slug:slug>/questionnaires/text/", instrument_pages.text_upload, name="text_upload"),
    path("console/c/<slug:slug>/practice/", practice_pages.practice, name="practice"),
    path("console/c/<slug:slug>/people/", practice_pages.people, name="people"),
    path("console/c/<slug:slug>/texts/", text_review_pages.texts, name="texts"),
    path("console/c/<slug:slug>/texts/<int:profile>/", text_review_pages.text, name="text"),
    path("console/c/<slug:slug>/consent/", setup_pages.consent, name="consent"),
    path("console/c/<slug:slug>/releases/", release_pages.releases_part, name="releases_part"),
    path("console/c/<slug:slug>/releases/cut/", release_pages.cut_release, name="cut_release"),
    path("console/c/<slug:slug>/releases/<str:version>/", release_pages.release, name="release"),
    path(
        "console/c/<slug:slug>/releases/<str:version>/publish/",
        release_pages.publish_release,
        name="publish_release",
    ),
    path(
        "console/c/<slug:slug>/releases/<str:version>/terms/",
        release_pages.release_terms,
        name="release_terms",
    ),
    path(
        "console/c/<slug:slug>/releases/<str:version>/files/<path:path>",
        release_pages.release_file,
        name="release_file",
    ),
]
