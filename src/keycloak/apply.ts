// Carries out a plan, item by item, and says how far it came where it cannot.
import { type ErrorCode, KjitsiError } from '../errors.ts'
import type { Client } from './client.ts'
import type { RealmAdmin } from './connect.ts'
import { type Item, changesOf } from './plan.ts'

/** One request, for one item or for all mappers that are to be created. */
interface Step {
  readonly items: readonly Item[]
  readonly run: () => Promise<void>
}

/**
 * Carries out exactly the changes of a plan: a request for each role, one for all new mappers, one for each update and
 * each removal.
 * @param onDone told of each item once Keycloak has it
 * @throws KjitsiError naming what was done before the failure and what was not; `conflict` where somebody else has just
 * made what was to be made
 */
export async function applyPlan(
  realm: RealmAdmin,
  client: Client,
  items: readonly Item[],
  onDone: (item: Item) => void,
): Promise<void> {
  const steps = stepsOf(realm, client, changesOf(items))
  for (const [i, step] of steps.entries()) {
    try {
      await step.run()
    } catch (error) {
      if (!(error instanceof KjitsiError)) throw error
      throw halfway(error, steps.slice(0, i), step, steps.slice(i + 1))
    }
    step.items.forEach(onDone)
  }
}

function stepsOf(realm: RealmAdmin, { clientUuid: id }: Client, items: readonly Item[]): readonly Step[] {
  const mappersPath = `/clients/${id}/protocol-mappers`
  const created = items.filter((item) => item.kind === 'mapper' && item.action === 'create')
  const addAll = (): Promise<void> =>
    realm.write('POST', `${mappersPath}/add-models`, (admin) =>
      admin.clients.addMultipleProtocolMappers(
        { id },
        created.map(({ mapper }) => mapper),
      ),
    )
  return [
    ...items.flatMap((item): Step[] => {
      if (item.kind !== 'role') return []
      const { name } = item
      return [
        {
          items: [item],
          run: () =>
            realm.write('POST', `/clients/${id}/roles`, (admin) => admin.clients.createRole({ id, name })),
        },
      ]
    }),
    ...(created.length === 0 ? [] : [{ items: created, run: addAll }]),
    ...items.flatMap((item): Step[] => {
      if (item.kind !== 'mapper' || (item.action !== 'update' && item.action !== 'remove')) return []
      const { mapper, action } = item
      const path = `${mappersPath}/models/${mapper.id}`
      const query = { id, mapperId: mapper.id }
      const run =
        action === 'update'
          ? () => realm.write('PUT', path, (admin) => admin.clients.updateProtocolMapper(query, mapper))
          : () => realm.write('DELETE', path, (admin) => admin.clients.delProtocolMapper(query))
      return [{ items: [item], run }]
    }),
  ]
}

/** A write that got no answer may have arrived all the same. */
const UNCERTAIN: readonly ErrorCode[] = ['unreachable', 'interrupted']

function halfway(
  { code, message, hint, cause }: KjitsiError,
  done: readonly Step[],
  failed: Step,
  rest: readonly Step[],
): KjitsiError {
  const uncertain = UNCERTAIN.includes(code)
  const parts = [
    done.length === 0 && !uncertain ? 'nothing was changed' : '',
    done.length === 0 ? '' : `done before it: ${listOf(done)}`,
    uncertain ? `perhaps done: ${listOf([failed])}` : '',
    `not done: ${listOf(uncertain ? rest : [failed, ...rest])}`,
  ]
  const story = parts.filter((part) => part !== '' && !part.endsWith(': ')).join('; ')
  return new KjitsiError(code, `${message}; ${story}`, {
    hint: hint ?? 'run again: it goes on where it stopped',
    cause,
  })
}

function listOf(steps: readonly Step[]): string {
  const items = steps.flatMap((step) => step.items)
  return items
    .map(({ action, kind, name }) => `${action} ${kind === 'role' ? `role ${name}` : name}`)
    .join(', ')
}
