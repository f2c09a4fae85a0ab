import { parityTests } from "./suite.ts";

parityTests("fit");
