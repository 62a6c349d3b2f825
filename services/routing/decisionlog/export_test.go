package decisionlog

// ReadSamplesBy makes the keeper read so many samples at a time.
func (k *Keeper) ReadSamplesBy(page int) { k.samplePage = page }

// TakeLooks takes every place of those that look at many decisions, and gives them back.
func (k *Keeper) TakeLooks() (leave func()) {
	for range cap(k.looks) {
		k.looks <- struct{}{}
	}
	return func() {
		for range cap(k.looks) {
			<-k.looks
		}
	}
}
