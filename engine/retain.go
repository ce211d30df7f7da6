package engine

func (e *Engine) retain() {}
