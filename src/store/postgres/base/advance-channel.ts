/** The channel that tells every gateway of a movement of the head; it carries nothing. */
export const ADVANCE_CHANNEL = 'cadastre_advance'
