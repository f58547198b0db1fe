// Carries out a plan, item by item, and says how far it came where it cannot.
import type KeycloakAdminClient from '@keycloak/keycloak-admin-client'
import { KjitsiError, withProgress } from '../errors.ts'
import { statusOf } from '../http/reasons.ts'
import type { Client } from './client.ts'
import type { RealmAdmin } from './connect.ts'
import { type Item, type ItemChange, changesOf, nameOf } from './plan.ts'

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
      // A write that got no answer may have arrived all the same.
      const isUncertain = error.code === 'unreachable' || error.code === 'interrupted'
      throw withProgress(error, {
        done: namesOf(done),
        perhaps: namesOf(isUncertain ? step.items : []),
        notDone: namesOf(isUncertain ? rest : [...step.items, ...rest]),
      })
    }
    done.push(...step.items)
  }
}

/**
 * The client comes first, since Keycloak checks it more strictly than a mapper, and then nothing has been changed; its new
 * mappers come with it where it is new, else all at once.
 */
function stepsOf(
  realm: RealmAdmin,
  client: Client | undefined,
  changes: readonly ItemChange[],
): readonly Step[] {
  let id = client?.clientUuid ?? ''
  const created = changes.filter((item) => item.kind === 'mapper' && item.action === 'create')
  const protocolMappers = created.map(({ mapper }) => mapper)
  const stepOf = (item: ItemChange): Step => {
    const step = (request: Parameters<RealmAdmin['write']>[0], items: readonly Item[] = [item]): Step => ({
      items,
      run: () => (item.action === 'remove' ? unlessGone(realm.write(request)) : realm.write(request)),
    })
    if (item.kind === 'role') return step(({ clients }) => clients.createRole({ id, name: item.name }))
    if (item.kind === 'client') {
      if (item.action === 'remove') return step(({ clients }) => clients.del({ id }))
      const payload = item.client as ClientRepresentation
      if (item.action === 'update') return step(({ clients }) => clients.update({ id }, payload))
      return step(
        async ({ clients }) => (id = (await clients.create({ ...payload, protocolMappers })).id),
        [item, ...created],
      )
    }
    if (item.action === 'create')
      return step(({ clients }) => clients.addMultipleProtocolMappers({ id }, protocolMappers), created)
    const { mapper } = item
    const query = { id, mapperId: mapper.id }
    return item.action === 'update'
      ? step(({ clients }) => clients.updateProtocolMapper(query, mapper))
      : step(({ clients }) => clients.delProtocolMapper(query))
  }
  const isNew = changes.some(({ kind, action }) => kind === 'client' && action === 'create')
  return [
    ...changes.filter(({ kind }) => kind === 'client'),
    ...changes.filter(({ kind }) => kind === 'role'),
    ...(isNew ? [] : created.slice(0, 1)),
    ...changes.filter(({ kind, action }) => kind === 'mapper' && action !== 'create'),
  ].map(stepOf)
}

/** A removal of what is gone, since another run was quicker: all is as it was to be. */
async function unlessGone(removal: Promise<void>): Promise<void> {
  await removal.catch((error: unknown) => {
    if (error instanceof KjitsiError && statusOf(error.cause) === 404) return
    throw error
  })
}

type ClientRepresentation = NonNullable<Parameters<KeycloakAdminClient['clients']['create']>[0]>

/** A failure between two plans, with what was done before it. */
export function afterDone(error: KjitsiError, done: readonly Item[]): KjitsiError {
  return withProgress(error, { done: namesOf(done) })
}

function namesOf(items: readonly Item[]): readonly string[] {
  return items.map((item) => `${item.action} ${nameOf(item)}`)
}
