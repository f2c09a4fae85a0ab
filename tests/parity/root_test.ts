import { parityTests } from "./suite.ts";

parityTests("root");
