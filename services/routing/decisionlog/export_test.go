package decisionlog

// ReadSamplesBy makes the keeper read so many samples at a time.
func (k *Keeper) ReadSamplesBy(page int) { k.samplePage = page }
