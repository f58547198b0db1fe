// The features that a token may switch, by Jitsi's own names.

/**
 * What `context.features` may hold. Jitsi's web client reads the names of its base/jwt/constants.ts; Prosody's modules
 * also read live-translation-subscribe. What is missing from a present features object counts as false in both.
 */
export const FEATURES = [
  'branding',
  'calendar',
  'create-polls',
  'file-upload',
  'flip',
  'inbound-call',
  'list-visitors',
  'live-translation',
  'live-translation-subscribe',
  'livestreaming',
  'lobby',
  'moderation',
  'outbound-call',
  'recording',
  'room',
  'screen-sharing',
  'send-groupchat',
  'sip-inbound-call',
  'sip-outbound-call',
  'transcription',
] as const
