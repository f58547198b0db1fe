// Carries out a plan, item by item, and says how far it came where it cannot.
import type KeycloakAdminClient from '@keycloak/keycloak-admin-client'
import { type ErrorCode, KjitsiError, withProgress } from '../errors.ts'
import { statusOf } from '../http/reasons.ts'
import type { Client } from './client.ts'
import type { RealmAdmin } from './connect.ts'
import { type Item, changesOf, nameOf } from './plan.ts'

/** One request, for one item or for all that Keycloak takes at once. */
interface Step {
  readonly items: readonly Item[]
  readonly run: () => Promise<void>
}

/**
 * Carries out exactly the changes of a plan: a request for a new client with its mappers, or for what changes of one that
 * is there; then one for each role, one for all new mappers, one for each update and each removal. What is to be
 * removed and is gone by then was another run's work, and is done.
 * @param client undefined where the plan creates it
 * @param done what was done before, to which is added each item once Keycloak has it
 * @throws KjitsiError naming what was done before the failure and what was not; `conflict` where somebody else has just
 * made what was to be made
 */
export async function applyPlan(
  realm: RealmAdmin,
  client: Client | undefined,
  items: readonly Item[],
  done: Item[],
): Promise<void> {
  const steps = stepsOf(realm, client, changesOf(items))
  for (const [i, step] of steps.entries()) {
    try {
      await step.run()
    } catch (error) {
      if (!(error instanceof KjitsiError)) throw error
      const rest = steps.slice(i + 1).flatMap((one) => one.items)
      throw halfway(error, done, step.items, rest)
    }
    done.push(...step.items)
  }
}

function stepsOf(realm: RealmAdmin, client: Client | undefined, items: readonly Item[]): readonly Step[] {
  const ofClient = items.find((item) => item.kind === 'client')
  const created = items.filter((item) => item.kind === 'mapper' && item.action === 'create')
  const mappers = created.map(({ mapper }) => mapper)
  if (ofClient?.action === 'create') {
    let id = ''
    const payload = { ...ofClient.client, protocolMappers: mappers } as ClientRepresentation
    const create = (): Promise<void> =>
      realm.write(async (admin) => {
        id = (await admin.clients.create(payload)).id
      })
    return [{ items: [ofClient, ...created], run: create }, ...roleSteps(realm, () => id, items)]
  }
  if (client === undefined) throw new Error('a plan for no client creates one')
  const { clientUuid: id } = client
  const addAll = (): Promise<void> =>
    realm.write((admin) => admin.clients.addMultipleProtocolMappers({ id }, mappers))
  return [
    ...clientSteps(realm, id, ofClient),
    ...roleSteps(realm, () => id, items),
    ...(created.length === 0 ? [] : [{ items: created, run: addAll }]),
    ...items.flatMap((item): Step[] => {
      if (item.kind !== 'mapper' || (item.action !== 'update' && item.action !== 'remove')) return []
      const { mapper, action } = item
      const query = { id, mapperId: mapper.id }
      const run =
        action === 'update'
          ? () => realm.write((admin) => admin.clients.updateProtocolMapper(query, mapper))
          : () => unlessGone(realm.write((admin) => admin.clients.delProtocolMapper(query)))
      return [{ items: [item], run }]
    }),
  ]
}

/** First of all, since Keycloak checks a client more strictly than a mapper, and then nothing has been changed. */
function clientSteps(realm: RealmAdmin, id: string, item: ClientItem | undefined): readonly Step[] {
  if (item?.action === 'update') {
    const payload = item.client as ClientRepresentation
    return [
      {
        items: [item],
        run: () => realm.write((admin) => admin.clients.update({ id }, payload)),
      },
    ]
  }
  if (item?.action !== 'remove') return []
  const remove = (): Promise<void> => unlessGone(realm.write((admin) => admin.clients.del({ id })))
  return [{ items: [item], run: remove }]
}

/** @param id of the client, asked for only once it is there */
function roleSteps(realm: RealmAdmin, id: () => string, items: readonly Item[]): readonly Step[] {
  return items.flatMap((item): Step[] => {
    if (item.kind !== 'role') return []
    const { name } = item
    const run = (): Promise<void> => realm.write((admin) => admin.clients.createRole({ id: id(), name }))
    return [{ items: [item], run }]
  })
}

/** A removal of what is gone, since another run was quicker: all is as it was to be. */
async function unlessGone(removal: Promise<void>): Promise<void> {
  await removal.catch((error: unknown) => {
    if (error instanceof KjitsiError && statusOf(error.cause) === 404) return
    throw error
  })
}

type ClientItem = Extract<Item, { kind: 'client' }>
type ClientRepresentation = NonNullable<Parameters<KeycloakAdminClient['clients']['create']>[0]>

/** A write that got no answer may have arrived all the same. */
const UNCERTAIN: readonly ErrorCode[] = ['unreachable', 'interrupted']

function halfway(
  error: KjitsiError,
  done: readonly Item[],
  failed: readonly Item[],
  rest: readonly Item[],
): KjitsiError {
  return withProgress(
    error,
    UNCERTAIN.includes(error.code)
      ? { done: namesOf(done), perhaps: namesOf(failed), notDone: namesOf(rest) }
      : { done: namesOf(done), notDone: namesOf([...failed, ...rest]) },
  )
}

/** A failure between two plans, with what was done before it. */
export function afterDone(error: KjitsiError, done: readonly Item[]): KjitsiError {
  return withProgress(error, { done: namesOf(done) })
}

function namesOf(items: readonly Item[]): readonly string[] {
  return items.map((item) => `${item.action} ${nameOf(item)}`)
}
