/** The usual names of the loss that training lowers. */
export const TRAINING_LOSS = /^(?:train(?:ing)?[_ ]?)?loss$/i;
