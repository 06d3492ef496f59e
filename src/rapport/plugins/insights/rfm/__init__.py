"""RFM: how recently, how often and for how much each person bought."""
