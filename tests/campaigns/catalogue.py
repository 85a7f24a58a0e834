"""All campaigns, by name."""

from __future__ import annotations

from campaigns import (
    clock,
    cuts,
    disk,
    kills,
    long_run,
    many_runs,
    one_bytes,
    power,
    pulls,
    run_files,
    shown,
    sweeps,
    texts,
    updates,
    viewers,
    wire,
)
from campaigns.framework import Campaign

CAMPAIGNS: dict[str, Campaign] = {
    campaign.name: campaign
    for campaign in (
        kills.CAMPAIGN,
        sweeps.CAMPAIGN,
        power.CAMPAIGN,
        disk.CAMPAIGN,
        pulls.CAMPAIGN,
        cuts.CAMPAIGN,
        clock.CAMPAIGN,
        run_files.CAMPAIGN,
        one_bytes.CAMPAIGN,
        shown.COMMANDS_CAMPAIGN,
        shown.APP,
        wire.CAMPAIGN,
        texts.SCENARIOS,
        texts.HOSTS_FILES,
        texts.CHECKPOINTS,
        long_run.CAMPAIGN,
        many_runs.CAMPAIGN,
        viewers.CAMPAIGN,
        updates.CAMPAIGN,
    )
}
