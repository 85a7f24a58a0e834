"""All campaigns, by name."""

from __future__ import annotations

from campaigns import cuts, disk, kills, power, run_files, shown, texts, wire
from campaigns.framework import Campaign

CAMPAIGNS: dict[str, Campaign] = {
    campaign.name: campaign
    for campaign in (
        kills.CAMPAIGN,
        power.CAMPAIGN,
        disk.CAMPAIGN,
        cuts.CAMPAIGN,
        run_files.CAMPAIGN,
        shown.COMMANDS_CAMPAIGN,
        shown.APP,
        wire.CAMPAIGN,
        texts.SCENARIOS,
        texts.HOSTS_FILES,
        texts.CHECKPOINTS,
    )
}
