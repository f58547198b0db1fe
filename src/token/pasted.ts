// The token in what people paste: alone, behind `Authorization: Bearer`, in the address of a meeting, or in the answer of a
// token endpoint.
import { unescape } from 'node:querystring'

/** @param text as it was typed or read; blanks and a byte order mark around a token are no part of it */
export function tokenIn(text: string): string {
  const bare = text.trim().replace(/^(['"])(.*)\1$/s, '$2')
  const inAddress = /[?&#](?:jwt|token)=([^&#\s'"]*)/.exec(bare)?.[1]
  if (inAddress !== undefined) return unescape(inAddress)
  const inAnswer = /"access_token"\s*:\s*"([^"]*)"/.exec(bare)?.[1]
  if (inAnswer !== undefined) return inAnswer
  return /\bbearer\s+([^\s'"]+)/i.exec(bare)?.[1] ?? bare
}
