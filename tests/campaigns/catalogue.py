"""All campaigns, by name."""

from __future__ import annotations

from campaigns import disk, kills, power
from campaigns.framework import Campaign

CAMPAIGNS: dict[str, Campaign] = {module.CAMPAIGN.name: module.CAMPAIGN for module in (kills, power, disk)}
