"""Many nets into one: common atoms, conflicts, crosswalks, and a proposal."""
