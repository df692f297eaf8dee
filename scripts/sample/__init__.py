"""The sample city: land, roads, territories, homes, people, offices, planted defects."""
