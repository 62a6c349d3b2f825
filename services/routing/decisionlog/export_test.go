package decisionlog

// ReadSamplesBy makes the keeper read so many samples at a time.
func (k *Keeper) ReadSamplesBy(page int) { k.samplePage = page }

// TakeLooks takes places of those that look at many decisions for a caller, and gives them back.
func (k *Keeper) TakeLooks(who string, n int) (leave func()) {
	for range n {
		if _, ok := k.looks.take(who); !ok {
			panic("there are not so many places")
		}
	}
	return func() {
		for range n {
			k.looks.give(who)
		}
	}
}
