"""All campaigns, by name."""

from __future__ import annotations

from campaigns import disk, kills, power, run_files, texts, wire
from campaigns.framework import Campaign

CAMPAIGNS: dict[str, Campaign] = {
    campaign.name: campaign
    for campaign in (
        kills.CAMPAIGN,
        power.CAMPAIGN,
        disk.CAMPAIGN,
        run_files.CAMPAIGN,
        wire.CAMPAIGN,
        texts.SCENARIOS,
        texts.HOSTS_FILES,
        texts.CHECKPOINTS,
    )
}
