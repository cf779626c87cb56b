// What stands in the proxy for the server behind it: its name, and its figures where somebody may ask for them.
import { Figures } from '../observer/figures.ts';
import { nameServer, whenServerKnown } from '../state/servers.ts';
import type { Mediation } from './mediation.ts';

/** The server behind the proxy. */
export class ServedServer {
  /** As it introduces itself; before that, what it was started or reached by. */
  name: string;
  mediation: Mediation | undefined;
  #figures: Figures | undefined;

  constructor(name: string) {
    this.name = name;
    nameServer(this, name);
    whenServerKnown((info) => {
      this.name = info.name;
      nameServer(this, info.name);
      if (this.#figures !== undefined) this.#figures = new Figures(this, info.name, false);
    });
  }

  /** Where its operations are counted; undefined where nobody asks. */
  get figures(): Figures | undefined {
    return this.#figures;
  }

  /** Counts its operations from now on. */
  count(): void {
    this.#figures ??= new Figures(this, this.name, false);
  }
}
