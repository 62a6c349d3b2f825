package releases

// Tables is how many tables are held. It is for when Run waits.
func (f *Follower) Tables() int { return len(f.tables) }
