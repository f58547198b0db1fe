// An answer as it is once it is here as a whole, with what was asked: all that an error says of it.

/** What was asked of a server. */
export interface Asked {
  readonly method: string
  readonly url: string
}

export interface Answer extends Asked {
  readonly status: number
  readonly contentType: string
  /** Where a redirect leads to, or what was created is. */
  readonly location: string | undefined
  readonly text: string
}

/** The code of an answer that is longer than allowed, which is undici's own for it. */
export const TOO_LONG = 'UND_ERR_RES_EXCEEDED_MAX_SIZE'

/**
 * Reads the body piece by piece, of an error as of any other, and ends the connection where it is too long.
 * @throws Error with the code TOO_LONG
 */
export async function readAnswer(
  { method, url }: Asked,
  response: Response,
  maxBytes: number,
): Promise<Answer> {
  const { status, headers } = response
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > maxBytes) {
      const which = response.ok ? 'the answer' : `status ${status}, and the answer`
      throw Object.assign(new Error(`${which} is longer than ${maxBytes} bytes`), { code: TOO_LONG })
    }
    chunks.push(chunk)
  }
  return {
    method,
    url,
    status,
    contentType: headers.get('content-type') ?? '',
    location: headers.get('location') ?? undefined,
    text: Buffer.concat(chunks).toString('utf8'),
  }
}
